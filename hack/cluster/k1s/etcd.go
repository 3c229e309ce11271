package main

import (
	"flag"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcdMain runs a single etcd member. Only what a local cluster sets is a flag.
func etcdMain(args []string) {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dataDir := flags.String("data-dir", "default.etcd", "data directory")
	clientURL := flags.String("listen-client-urls", "http://127.0.0.1:2379", "client URL")
	peerURL := flags.String("listen-peer-urls", "http://127.0.0.1:2380", "peer URL")
	unsafeNoFsync := flags.Bool("unsafe-no-fsync", false, "skip fsync: a power cut loses data, a crash does not")
	_ = flags.Parse(args)

	config := embed.NewConfig()
	config.Dir = *dataDir
	config.ListenClientUrls, config.AdvertiseClientUrls = urls(*clientURL), urls(*clientURL)
	config.ListenPeerUrls, config.AdvertisePeerUrls = urls(*peerURL), urls(*peerURL)
	config.InitialCluster = config.Name + "=" + *peerURL
	config.UnsafeNoFsync = *unsafeNoFsync
	config.LogLevel = "error"
	// Embedded, this has no default, and 0 would log every request as slow.
	config.WarningUnaryRequestDuration = time.Second
	config.AutoCompactionMode, config.AutoCompactionRetention = "periodic", "1h"
	server, err := embed.StartEtcd(config)
	if err != nil {
		log.Fatal(err)
	}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-stop:
		server.Close()
	case err := <-server.Err():
		log.Fatal(err)
	case <-server.Server.StopNotify():
	}
}

func urls(text string) []url.URL {
	parsed, err := url.Parse(text)
	if err != nil {
		log.Fatal(err)
	}
	return []url.URL{*parsed}
}
