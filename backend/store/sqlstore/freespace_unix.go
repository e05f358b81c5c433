//go:build linux || darwin

package sqlstore

import "syscall"

// freeSpace returns how many bytes a folder's file system has left for this user, or -1.
func freeSpace(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
