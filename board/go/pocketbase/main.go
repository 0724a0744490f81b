// PocketBase as its own makers' smallest program has it: the server, its admin page and its commands, without the
// JavaScript hooks.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"
)

func main() {
	if err := pocketbase.New().Start(); err != nil {
		log.Fatal(err)
	}
}
