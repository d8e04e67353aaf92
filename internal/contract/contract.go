// Package contract holds the documented responses of the A2A API, once, for the
// tests of both sides: the client has to read them, and the simulator has to send
// them. It is data only. A type here would be shared by both, and would hide a
// wrong key from every test.
//
// The name of a body says the operation, then the release where the shape belongs
// to one (3.32, 3.33, newest), then the HTTP status; without a status it is 200.
// Values are made up; keys, types, nesting, and codes are those of the vendor's
// documents. The live session in list-newest and the OAuth errors are inferred.
package contract

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed bodies/*.json
var files embed.FS

// Bodies returns every documented body by its file name. The map is the caller's.
// It panics only where the program was built without its own files.
func Bodies() map[string]string {
	names, err := fs.Glob(files, "bodies/*.json")
	if err != nil {
		panic(fmt.Sprintf("contract: %v", err))
	}
	bodies := make(map[string]string, len(names))
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("contract: %v", err))
		}
		bodies[name[len("bodies/"):]] = string(body)
	}
	return bodies
}
