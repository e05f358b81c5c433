package assets

// Which encoding to send: RFC 9110 §12.5.3.

import "strings"

type encoding int

// The encodings, best first: the order decides between equal q-values.
const (
	br encoding = iota
	gzip
	identity
	encodings = iota // how many there are
)

func (e encoding) String() string { return [...]string{"br", "gzip", "identity"}[e] }

// unlisted is the weight of an encoding that the header does not name.
const unlisted = -1

// choose picks the available encoding that the client weighs highest. Identity
// is always available and acceptable: as the last resort even when the client
// refuses it and everything else, because a script that arrives plain is worth
// more than a 406 (which RFC 9110 leaves to the server).
func choose(header []string, available *[encodings]*variant) encoding {
	weights := parseAcceptEncoding(header)
	best, most := identity, max(weights[identity], 0)
	for _, e := range []encoding{gzip, br} { // worse first, so that an equal better one wins
		if w := weights[e]; available[e] != nil && w > 0 && w >= most {
			best, most = e, w
		}
	}
	return best
}

// parseAcceptEncoding returns the weight of each encoding in thousandths: 0 is
// "not acceptable". An element that cannot be read counts as not being there.
// No header weighs nothing, which leaves identity: RFC 9110 would allow any
// encoding then, but the clients that send none are those that cannot decode.
func parseAcceptEncoding(header []string) (weights [encodings]int) {
	weights = [encodings]int{unlisted, unlisted, unlisted}
	star := unlisted
	for _, list := range header {
		for more := true; more; {
			var element string
			element, list, more = strings.Cut(list, ",")
			coding, params, weighed := strings.Cut(element, ";")
			q := 1000
			if weighed {
				if q = parseWeight(params); q == unlisted {
					continue
				}
			}
			switch coding = strings.Trim(coding, " \t"); {
			case coding == "*":
				star = q
			case strings.EqualFold(coding, "br"):
				weights[br] = q
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				weights[gzip] = q
			case strings.EqualFold(coding, "identity"):
				weights[identity] = q
			}
		}
	}
	for e, w := range weights {
		// A star's weight is not lent to identity: "*" asks for any encoding, and
		// "gzip;q=0.5, *" would otherwise be read as "rather plain than gzip".
		if w == unlisted && (encoding(e) != identity || star == 0) {
			weights[e] = star
		}
	}
	return weights
}

// parseWeight reads "q=0.5" as 500: up to three decimals, 0 to 1, or unlisted
// for anything else.
func parseWeight(s string) int {
	s = strings.Trim(s, " \t")
	if len(s) < 3 || s[0]|0x20 != 'q' || s[1] != '=' {
		return unlisted
	}
	whole, decimals, _ := strings.Cut(s[2:], ".")
	if len(whole) != 1 || whole[0] != '0' && whole[0] != '1' || len(decimals) > 3 {
		return unlisted
	}
	q := int(whole[0]-'0') * 1000
	for i, unit := 0, 100; i < len(decimals); i, unit = i+1, unit/10 {
		if decimals[i] < '0' || decimals[i] > '9' {
			return unlisted
		}
		q += int(decimals[i]-'0') * unit
	}
	if q > 1000 {
		return unlisted
	}
	return q
}
