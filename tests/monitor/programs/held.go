// Obeys "hold MIB" and "drop MIB".
package main

import "fmt"

func main() {
	var held [][]byte
	var word string
	var mib int
	fmt.Println("ready")
	for {
		if _, err := fmt.Scan(&word, &mib); err != nil {
			return
		}
		for left := mib * 1024; left > 0; left-- {
			block := make([]byte, 1024)
			for at := range block {
				block[at] = 1
			}
			if word == "hold" {
				held = append(held, block)
			}
		}
		fmt.Println("done")
	}
}
