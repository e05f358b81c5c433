package wix

// The public keys of webhooks, in the forms in which people paste them.

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/nametag-dev/nametag/backend/pasted"
)

const pemBegin, pemEnd = "-----BEGIN ", "-----END "

var (
	// written is a line break that was written out (\n, also \\n), or what is left of one.
	written = regexp.MustCompile(`\\+[rnt]?`)
	// pemLine is a line that begins or ends a PEM block, also with typographic dashes.
	pemLine = regexp.MustCompile(`[-‐-―−]{1,5} ?(BEGIN|END) ([A-Z0-9 ]+?) ?[-‐-―−]{1,5}`)
	// pemBlock replaces encoding/pem, which requires line breaks, refuses indentation, and
	// accepts the first block of many.
	pemBlock = regexp.MustCompile(`^-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----$`)
)

// parsePublicKeys reads the keys of texts. Each text holds one key, or several with commas
// or line breaks between them. The error has one line for each fault.
func parsePublicKeys(texts []string) ([]*rsa.PublicKey, error) {
	var parts []string
	for _, text := range texts {
		found := splitKeys(text)
		if len(found) == 0 {
			found = []string{""}
		}
		parts = append(parts, found...)
	}
	var faults []error
	switch n := len(parts); {
	case n == 0:
		faults = append(faults, errors.New("the public key for webhooks is missing"))
	case n > 2:
		faults = append(faults, fmt.Errorf("there are %d public keys for webhooks: give the current one, and at most one other while it is being changed", n))
	}
	keys := make([]*rsa.PublicKey, len(parts))
	for i, part := range parts {
		var err error
		if keys[i], err = parsePublicKey(part); err != nil {
			faults = append(faults, fmt.Errorf("public key %d %w", i+1, err))
		}
	}
	return keys, errors.Join(faults...)
}

// splitKeys returns what should be one PEM block each: base64 is decoded, and what pasting
// leaves in and around a key is gone.
func splitKeys(text string) []string {
	var keys []string
	for part := range strings.SplitSeq(plain(text), ",") {
		if !strings.Contains(part, pemBegin) {
			keys = append(keys, decodeKeys(part)...)
			continue
		}
		keys = append(keys, splitBlocks(part)...)
	}
	return keys
}

// plain drops what has no meaning in PEM and base64: quotation marks, escapes, invisible
// characters, and every kind of space but the plain one.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case pasted.Mark(r), unicode.IsSpace(r):
			return ' '
		case pasted.Blank(r):
			return -1
		case r == ';':
			return ','
		}
		return r
	}, written.ReplaceAllString(text, " "))
	return pemLine.ReplaceAllString(strings.Join(strings.Fields(text), " "), "-----$1 $2-----")
}

// decodeKeys returns the keys of a text without commas that is not PEM: base64 of one or
// more keys, in one line or in many, or several such texts.
func decodeKeys(text string) []string {
	var keys []string
	rest := ""
	for field := range strings.FieldsSeq(text) {
		if whole := decodeKey(field); rest == "" && strings.Contains(whole, pemEnd) {
			keys = append(keys, splitBlocks(whole)...)
			continue
		}
		rest += field
		if strings.HasSuffix(field, "=") {
			keys, rest = append(keys, splitBlocks(decodeKey(rest))...), ""
		}
	}
	return append(keys, splitBlocks(decodeKey(rest))...)
}

// decodeKey decodes base64 of PEM, and returns any other text as it is.
func decodeKey(text string) string {
	decoded, err := unbase64(text)
	if err != nil || !bytes.Contains(decoded, []byte("BEGIN")) {
		return text
	}
	return plain(string(decoded))
}

// splitBlocks cuts a text behind each line that ends a PEM block.
func splitBlocks(text string) []string {
	var blocks []string
	start := 0
	for _, line := range pemLine.FindAllStringSubmatchIndex(text, -1) {
		if text[line[2]:line[3]] == "END" {
			blocks, start = append(blocks, text[start:line[1]]), line[1]
		}
	}
	return slices.DeleteFunc(append(blocks, text[start:]), func(block string) bool {
		return strings.Trim(block, " ,") == ""
	})
}

// parsePublicKey reads what splitKeys returns for one key. Its errors end a sentence that
// begins with "public key 1".
func parsePublicKey(text string) (*rsa.PublicKey, error) {
	text = strings.Trim(text, " ,")
	switch {
	case text == "":
		return nil, errors.New("is empty")
	case !strings.Contains(text, pemBegin):
		return nil, errors.New(`is neither PEM ("-----BEGIN PUBLIC KEY-----" and so on) nor base64 of the whole PEM text`)
	}
	block := pemBlock.FindStringSubmatch(text)
	switch {
	case strings.Contains(text, "PRIVATE KEY"):
		return nil, errors.New("is a private key: give the public key that the app's dashboard shows, and keep the private key secret")
	case strings.Contains(text, "RSA PUBLIC KEY"):
		return nil, errors.New(`is in PKCS#1 form ("BEGIN RSA PUBLIC KEY"): give it as "BEGIN PUBLIC KEY", which "openssl rsa -RSAPublicKey_in -pubout" makes of it`)
	case block == nil || block[1] != "PUBLIC KEY" || block[3] != "PUBLIC KEY":
		return nil, errors.New(`is not one whole PEM block from "-----BEGIN PUBLIC KEY-----" to "-----END PUBLIC KEY-----"`)
	}
	der, err := unbase64(block[2])
	if err != nil {
		return nil, errors.New("is damaged: the text between BEGIN and END is not base64")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("is damaged, or of an unknown kind: Wix signs with RSA")
	}
	public, isRSA := key.(*rsa.PublicKey)
	switch {
	case !isRSA:
		return nil, errors.New("is not an RSA key: Wix signs with RSA")
	case public.N.BitLen() < 2048:
		return nil, fmt.Errorf("has %d bits: fewer than 2048 are not safe", public.N.BitLen())
	}
	return public, nil
}

// unbase64 is as lenient as JavaScript's atob, where spaces and padding are optional, and
// also takes the alphabet for URLs.
func unbase64(text string) ([]byte, error) {
	text = strings.NewReplacer(" ", "", "-", "+", "_", "/").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}
