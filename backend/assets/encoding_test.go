package assets

import "testing"

func TestParseAcceptEncoding(t *testing.T) {
	all := [encodings]*variant{{}, {}, {}}
	noBr := [encodings]*variant{gzip: {}, identity: {}}
	plain := [encodings]*variant{identity: {}}
	for _, tc := range []struct {
		what      string
		header    []string
		available [encodings]*variant
		want      encoding
	}{
		{"no header", nil, all, identity},
		{"an empty header", []string{""}, all, identity},
		{"what Chromium sends", []string{"gzip, deflate, br, zstd"}, all, br},
		{"what Chromium sends, without brotli here", []string{"gzip, deflate, br, zstd"}, noBr, gzip},
		{"what Chromium sends, for a file without encodings", []string{"gzip, deflate, br, zstd"}, plain, identity},
		{"two headers", []string{"gzip", "br"}, all, br},
		{"the higher weight wins", []string{"br;q=0.5, gzip;q=0.6"}, all, gzip},
		{"a thousandth decides", []string{"br;q=0.998, gzip;q=0.999"}, all, gzip},
		{"equal weights: the smaller encoding", []string{"gzip;q=0.5, br;q=0.5"}, all, br},
		{"plain preferred", []string{"identity, br;q=0.5, gzip;q=0.5"}, all, identity},
		{"plain as good as brotli", []string{"identity, br"}, all, br},
		{"a low weight is still better than an unnamed plain", []string{"gzip;q=0.001"}, all, gzip},
		{"brotli refused", []string{"br;q=0, gzip"}, all, gzip},
		{"brotli refused with decimals", []string{"br;q=0.000"}, all, identity},
		{"plain refused", []string{"identity;q=0, gzip;q=0.1"}, all, gzip},
		{"plain refused and nothing else named", []string{"identity;q=0"}, all, identity},
		{"a star", []string{"*"}, all, br},
		{"a star without brotli here", []string{"*"}, noBr, gzip},
		{"a star does not reach what is named", []string{"br;q=0, *"}, all, gzip},
		{"a star below what is named", []string{"gzip, *;q=0.5"}, all, gzip},
		{"a star above what is named", []string{"gzip;q=0.5, *"}, noBr, gzip},
		{"everything refused", []string{"*;q=0"}, all, identity},
		{"everything but gzip refused", []string{"gzip, *;q=0"}, all, gzip},
		{"another case", []string{"BR;Q=1"}, all, br},
		{"the old name of gzip", []string{"x-gzip"}, all, gzip},
		{"spaces and tabs", []string{" \tgzip \t; \tq=0.2 ,\tbr ; q=0.1 "}, all, gzip},
		{"empty elements", []string{",, ,br,"}, all, br},
		{"unknown codings", []string{"deflate, zstd, compress"}, all, identity},
		{"a coding that only begins alike", []string{"brotli, gzipped"}, all, identity},
		{"an unreadable weight drops its element only", []string{"br;q=high, gzip;q=0.1"}, all, gzip},
		{"a weight above one", []string{"br;q=1.001"}, all, identity},
		{"a weight of two", []string{"br;q=2"}, all, identity},
		{"a negative weight", []string{"br;q=-1"}, all, identity},
		{"four decimals", []string{"br;q=0.1234"}, all, identity},
		{"no digits", []string{"br;q="}, all, identity},
		{"another parameter", []string{"br;level=9"}, all, identity},
		{"an empty parameter", []string{"br;"}, all, identity},
		{"one and a point", []string{"br;q=1."}, all, br},
		{"a NUL", []string{"br\x00"}, all, identity},
	} {
		t.Run(tc.what, func(t *testing.T) {
			if got := choose(tc.header, &tc.available); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// FuzzAcceptEncoding holds the parser to what is true of every header: weights in
// range, the same answer when the header is split into two at a comma, and never
// an encoding that the client refused while another was acceptable.
func FuzzAcceptEncoding(f *testing.F) {
	f.Fuzz(func(t *testing.T, first, second string) {
		joined := parseAcceptEncoding([]string{first + "," + second})
		split := parseAcceptEncoding([]string{first, second})
		if joined != split {
			t.Errorf("one header %v, two headers %v", joined, split)
		}
		for e, w := range split {
			if w < unlisted || w > 1000 {
				t.Errorf("%v weighs %d", encoding(e), w)
			}
		}
		chosen := choose([]string{first, second}, &[encodings]*variant{{}, {}, {}})
		if chosen == identity {
			for _, e := range []encoding{br, gzip} {
				if split[e] > 0 && split[e] >= split[identity] {
					t.Errorf("identity sent although %v weighs %d", e, split[e])
				}
			}
		} else if split[chosen] <= 0 {
			t.Errorf("%v sent although it weighs %d", chosen, split[chosen])
		}
	})
}
