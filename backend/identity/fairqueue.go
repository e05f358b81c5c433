package identity

// A queue that is shared fairly at several levels: by whom a call is for, by wide network,
// by address. Each node serves its children in turn, so that a thousand calls of one
// network wait behind each other, and a call of any other network behind one of them.

import "slices"

// node is a level of the queue: the root, someone whom the calls share, or, as a leaf, the
// narrowest of those, where the calls themselves wait.
type node struct {
	parent   *node
	key      any
	depth    int // of the root 0
	children map[any]*node
	turn     []*node   // the children with waiting calls, in the order of their turns
	calls    []*ticket // of a leaf, in the order of their arrival

	waiting, running int // calls at or below this node
}

// ticket is one call, from its arrival to its end.
type ticket struct {
	leaf *node
	// ready gets nil when the call may run, or the reason why it may not.
	ready  chan error
	queued bool
}

// arrive puts a call at the end of its leaf. The path leads there from the root; all paths
// of a queue that begin alike are equally long.
func (n *node) arrive(path []any) *ticket {
	for _, key := range path {
		child := n.children[key]
		if child == nil {
			child = &node{parent: n, key: key, depth: n.depth + 1}
			if n.children == nil {
				n.children = make(map[any]*node)
			}
			n.children[key] = child
		}
		n = child
	}
	t := &ticket{leaf: n, ready: make(chan error, 1), queued: true}
	n.calls = append(n.calls, t)
	n.count(1, 0)
	return t
}

// remove takes a call out of the queue: it may run, or will never.
func (t *ticket) remove(runs bool) {
	i := slices.Index(t.leaf.calls, t)
	t.leaf.calls = slices.Delete(t.leaf.calls, i, i+1)
	t.queued = false
	running := 0
	if runs {
		running = 1
	}
	t.leaf.count(-1, running)
}

// end ends a call that ran.
func (t *ticket) end() { t.leaf.count(0, -1) }

// count changes the numbers from a leaf up to the root, and drops what nobody needs.
func (n *node) count(waiting, running int) {
	for ; n != nil; n = n.parent {
		before := n.waiting
		n.waiting += waiting
		n.running += running
		if n.parent == nil {
			return
		}
		switch turn := &n.parent.turn; {
		case before == 0 && n.waiting > 0:
			*turn = append(*turn, n)
		case before > 0 && n.waiting == 0:
			i := slices.Index(*turn, n)
			*turn = slices.Delete(*turn, i, i+1)
		}
		if n.waiting == 0 && n.running == 0 {
			delete(n.parent.children, n.key)
		}
	}
}

// next returns the call whose turn it is among those that may run, or nil.
func (n *node) next(may func(*node) bool) *ticket {
	if len(n.calls) > 0 {
		return n.calls[0]
	}
	for i, child := range n.turn {
		if !may(child) {
			continue
		}
		if t := child.next(may); t != nil {
			n.turn = append(slices.Delete(n.turn, i, i+1), child)
			return t
		}
	}
	return nil
}

// waitingBelow returns how many calls wait below a child.
func (n *node) waitingBelow(key any) int {
	if child := n.children[key]; child != nil {
		return child.waiting
	}
	return 0
}

// last returns the call to give up when there are too many: the last one of the branch
// that has the most.
func (n *node) last() *ticket {
	for len(n.turn) > 0 {
		most := n.turn[0]
		for _, child := range n.turn {
			if child.waiting >= most.waiting {
				most = child
			}
		}
		n = most
	}
	return n.calls[len(n.calls)-1]
}
