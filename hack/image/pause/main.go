// pause holds a pod's namespaces open and reaps what is left to it as process 1.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for s := range c {
		if s == syscall.SIGCHLD {
			for {
				if p, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || p <= 0 {
					break
				}
			}
			continue
		}
		os.Exit(0)
	}
}
