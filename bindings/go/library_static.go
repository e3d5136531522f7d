// SPDX-License-Identifier: Apache-2.0

//go:build curfew_static

package curfew

// The library is linked whole from CGO_LDFLAGS, which name libcurfew.a: nothing of it is needed where the program runs.

// #cgo LDFLAGS: -lsodium -lsqlite3 -ljansson -lz -lm -ldl -lpthread
import "C"
