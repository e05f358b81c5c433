package wixsim

// The queries of the control API's lists.

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// listQuery is the query of a list.
type listQuery struct {
	instanceID, after, name string
	limit                   int // 0 is no limit
}

// readQuery reads a query that may have the given parameters, or answers with an error.
func readQuery(w http.ResponseWriter, r *http.Request, allowed ...string) (q listQuery, ok bool) {
	values := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(allowed, name) {
			writeFault(w, strconv.Quote(clip(name, 64))+" is no parameter of this list")
			return q, false
		}
	}
	q = listQuery{instanceID: values.Get("instanceId"), after: values.Get("after"), name: values.Get("name")}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxCalls {
			writeFault(w, fmt.Sprintf("limit must be a whole number from 1 to %d", maxCalls))
			return q, false
		}
		q.limit = limit
	}
	return q, true
}

// latest returns the latest of a list whose oldest is first: those of the instance, and no
// more than the limit.
func latest[T any](q listQuery, list []T, instanceOf func(T) string) []T {
	if q.instanceID != "" {
		list = slices.DeleteFunc(list, func(v T) bool { return !sameID(instanceOf(v), q.instanceID) })
	}
	if q.limit > 0 && len(list) > q.limit {
		list = list[len(list)-q.limit:]
	}
	return list
}

// pathID reads the id of a call or delivery from the path, or answers with an error.
func pathID(w http.ResponseWriter, r *http.Request, what string) (int64, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		WriteError(w, http.StatusNotFound, "the id of a "+what+" is a number")
	}
	return id, err == nil
}
