// SPDX-License-Identifier: Apache-2.0

// A sidecar that hands its one listener on the way OpenKruise's hot-upgrade sample does. With TAKE it begins as the new
// process, otherwise it binds; in both cases it gives the listener away when it is asked to.
//
//	ADDRESS=127.0.0.1:9091 SOCKET=/dev/shm/migrate.sock [TAKE=1] sidecar
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

var address, socket = os.Getenv("ADDRESS"), os.Getenv("SOCKET")

func main() {
	listener, err := open()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	http.HandleFunc("/migrate", func(w http.ResponseWriter, _ *http.Request) {
		if err := give(listener); err != nil {
			fmt.Fprintln(os.Stderr, err)
			io.WriteString(w, "failed")
			return
		}
		listener.Close()
		io.WriteString(w, "success")
	})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "go") })
	fmt.Println(http.Serve(listener, nil))
	select {} // The sample does not end by itself either: it is told to.
}

func open() (*net.TCPListener, error) {
	if os.Getenv("TAKE") == "" {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return nil, err
		}
		return listener.(*net.TCPListener), nil
	}
	syscall.Unlink(socket)
	door, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer door.Close()
	taken := make(chan *net.TCPListener, 1)
	failed := make(chan error, 2)
	go func() {
		listener, err := take(door)
		if err != nil {
			failed <- err
			return
		}
		taken <- listener
	}()
	response, err := http.Get("http://" + address + "/migrate")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "success" {
		return nil, fmt.Errorf("the old process says %q, %v", body, err)
	}
	select {
	case listener := <-taken:
		return listener, nil
	case err := <-failed:
		return nil, err
	}
}

func take(door *net.UnixListener) (*net.TCPListener, error) {
	connection, err := door.AcceptUnix()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	data, control := make([]byte, 32), make([]byte, syscall.CmsgSpace(4))
	_, size, _, _, err := connection.ReadMsgUnix(data, control)
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(control[:size])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%d control messages", len(messages)))
	}
	rights, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(rights) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%d descriptors", len(rights)))
	}
	file := os.NewFile(uintptr(rights[0]), "listener")
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	return listener.(*net.TCPListener), nil
}

func give(listener *net.TCPListener) error {
	file, err := listener.File()
	if err != nil {
		return err
	}
	defer file.Close()
	connection, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return err
	}
	defer connection.Close()
	// Fd() makes the socket blocking for every process that has it, as it does in the sample.
	_, _, err = connection.WriteMsgUnix(nil, syscall.UnixRights(int(file.Fd())), nil)
	return err
}
