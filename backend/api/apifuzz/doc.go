// Package apifuzz holds fuzz tests of the HTTP edge. They are apart from the tests of package
// api because those need SQLite, which takes minutes to build for fuzzing.
package apifuzz
