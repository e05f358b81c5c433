package wix

// The public key of webhooks, in the forms in which people paste it.

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	// lineBreaks decodes escaped line breaks. A backslash has no other meaning in PEM or base64.
	lineBreaks = strings.NewReplacer(`\r`, "", `\n`, "\n")
	// pemBlock replaces encoding/pem, which requires line breaks, refuses indentation, and
	// accepts the first block of many.
	pemBlock = regexp.MustCompile(`^-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----$`)
)

// parsePublicKey reads one key. Its errors end a sentence that begins with "public key 1".
func parsePublicKey(text string) (*rsa.PublicKey, error) {
	text = strings.TrimSpace(strings.Trim(strings.TrimSpace(lineBreaks.Replace(text)), `"'`))
	if text == "" {
		return nil, errors.New("is empty")
	}
	if !strings.Contains(text, "-----BEGIN") {
		decoded, err := unbase64(text)
		if err != nil || !bytes.Contains(decoded, []byte("-----BEGIN")) {
			return nil, errors.New(`is neither PEM ("-----BEGIN PUBLIC KEY-----" and so on) nor base64 of the whole PEM text`)
		}
		text = strings.TrimSpace(string(decoded))
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

// unbase64 is as lenient as JavaScript's atob: spaces and padding are optional.
func unbase64(text string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Join(strings.Fields(text), ""), "="))
}
