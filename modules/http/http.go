// Package http holds the http.* functions: requests to web servers.
package http

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pytext"
	"brine/internal/pyyaml"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "http", Doc: "Functions that ask web servers.", Funcs: []modules.Func{
		modules.Fn("query", queryDoc, query),
		modules.Fn("wait_for_successful_query", waitDoc, wait),
	}}
}

const maxBody = 100 << 20 // Salt's http_max_body

type queryArgs struct {
	URL    string         `arg:"url"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const queryDoc = `Ask a web server. The answer is a map: body, and as asked for status, headers, text and dict; or error.

method, params, data, data_file
    GET and so on; a map of what to put into the address; the body to send, or a file with it
header_dict, header_list, username, password
    headers to send; name and password for basic authentication
status, headers, text, decode, decode_type
    what to answer: the code, the headers, the text; decode the body (auto, json, yaml, plain)
verify_ssl, raise_error, http_request_timeout
    False: do not check the certificate; False: a code over 399 is no error; seconds to wait
test, test_url
    do not ask (or ask this address instead)

CLI Example:

    salt '*' http.query http://somelink.com/
    salt '*' http.query http://somelink.com/ method=POST data='<xml>somecontent</xml>'`

func query(ctx context.Context, env *modules.Env, in queryArgs) (any, error) {
	kw := in.Kwargs
	if pyfmt.Truth(kw.Value("test")) {
		to := kw.String("test_url")
		if to == "" {
			return ordered.New(0), nil
		}
		in.URL = to
	}
	req, err := request(ctx, in.URL, kw)
	if err != nil {
		return nil, err
	}
	seconds := 3600.0
	for _, v := range []any{env.Opt("http_request_timeout"), kw.Value("http_request_timeout")} {
		if f, err := modules.Float(v); v != nil && err == nil {
			seconds = f
		}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	defer t.CloseIdleConnections()
	if v, ok := kw.Get("verify_ssl"); ok && !pyfmt.Truth(v) {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for with verify_ssl=False
	}
	client := &http.Client{Transport: t, Timeout: time.Duration(seconds * float64(time.Second))}
	res, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // its text has the address, which may hold a password
		}
		out := ordered.New(2)
		if kw.Value("status") == true {
			out.Set("status", 0)
		}
		out.Set("error", err.Error())
		return out, ctx.Err()
	}
	defer res.Body.Close()
	return answer(res, kw)
}

func request(ctx context.Context, address string, kw modules.Kwargs) (*http.Request, error) {
	body, form, err := payload(kw)
	if err != nil {
		return nil, err
	}
	method := strings.ToUpper(kw.String("method"))
	if method == "" {
		method = http.MethodGet
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, modules.Errorf("the address cannot be read")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, modules.Errorf("The protocol of %s is not supported", u.Redacted())
	}
	if p := kw.Map("params"); p.Len() > 0 {
		q := u.Query()
		for k, v := range p.All() {
			q.Set(pyfmt.Str(k), pyfmt.Str(v))
		}
		u.RawQuery = q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Salt/3006")
	if form {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, line := range kw.List("header_list") {
		k, v, _ := strings.Cut(pyfmt.Str(line), ":")
		req.Header.Set(strings.TrimSpace(k), strings.TrimSpace(v))
	}
	for k, v := range kw.Map("header_dict").All() {
		req.Header.Set(pyfmt.Str(k), pyfmt.Str(v))
	}
	if name := kw.String("username"); name != "" {
		req.SetBasicAuth(name, pyfmt.Str(kw.Value("password")))
	}
	return req, nil
}

// payload is what to send; form says that it is a map in the coding of web forms.
func payload(kw modules.Kwargs) (body string, form bool, err error) {
	if file := kw.String("data_file"); file != "" {
		text, err := os.ReadFile(file)
		return string(text), false, err
	}
	v := kw.Value("data")
	if v == nil {
		return "", false, nil
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		return pyfmt.Str(v), false, nil
	}
	var parts []string
	for k, e := range m.All() {
		parts = append(parts, url.QueryEscape(pyfmt.Str(k))+"="+url.QueryEscape(pyfmt.Str(e)))
	}
	return strings.Join(parts, "&"), true, nil
}

func answer(res *http.Response, kw modules.Kwargs) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return ordered.Pairs("error", err.Error()), nil
	}
	if len(raw) > maxBody {
		return ordered.Pairs("error", fmt.Sprintf("the body is larger than %d bytes", maxBody)), nil
	}
	body, out := pytext.Decode(raw), ordered.New(4)
	if v, ok := kw.Get("raise_error"); res.StatusCode >= 400 && (!ok || pyfmt.Truth(v)) {
		return ordered.Pairs("status", res.StatusCode, "error", fmt.Sprintf("HTTP %d: %s", res.StatusCode, http.StatusText(res.StatusCode)), "body", body), nil
	}
	out.Set("body", body)
	if pyfmt.Truth(kw.Value("status")) {
		out.Set("status", res.StatusCode)
	}
	if pyfmt.Truth(kw.Value("headers")) {
		h := ordered.New(len(res.Header))
		for k, v := range res.Header {
			h.Set(k, strings.Join(v, ","))
		}
		out.Set("headers", h)
	}
	text := pyfmt.Truth(kw.Value("text"))
	if pyfmt.Truth(kw.Value("decode")) {
		plain, err := decode(out, kw.String("decode_type"), res.Header.Get("Content-Type"), raw)
		if err != nil {
			return nil, err
		}
		text = text || plain
	}
	if text {
		out.Set("text", body)
	}
	return out, nil
}

// decode puts the body as data under "dict"; plain says that it stays text.
func decode(out *ordered.Map, kind, content string, raw []byte) (plain bool, err error) {
	if kind == "" || kind == "auto" {
		switch {
		case content == "" || strings.Contains(content, "json"):
			kind = "json"
		case strings.Contains(content, "yaml"):
			kind = "yaml"
		default:
			kind = "plain"
		}
	}
	var v any
	switch kind {
	case "json":
		if v, err = ordered.FromJSON(raw); err != nil {
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				err = modules.Errorf("the body is no JSON: %s", syntax)
			}
			return false, err
		}
	case "yaml":
		if v, err = pyyaml.Load(raw, pyyaml.Options{}); err != nil {
			return false, err
		}
	case "plain":
		return true, nil
	default:
		out.Set("error", "Invalid decode_type specified. Valid decode types are: ('json', 'xml', 'yaml', 'plain')")
		return false, nil
	}
	out.Set("dict", v)
	return false, nil
}

type waitArgs struct {
	URL             string         `arg:"url"`
	WaitFor         any            `arg:"wait_for" def:"300"`
	RequestInterval any            `arg:"request_interval" def:"None"`
	Kwargs          modules.Kwargs `arg:"**kwargs"`
}

const waitDoc = `Ask a web server again and again until it answers without an error.

wait_for
    seconds after which it is given up
request_interval
    seconds between two tries

CLI Example:

    salt '*' http.wait_for_successful_query http://somelink.com/ wait_for=160 request_interval=1`

func wait(ctx context.Context, env *modules.Env, in waitArgs) (any, error) {
	limit, err := modules.Float(in.WaitFor)
	if err != nil {
		return nil, err
	}
	pause := 1.0 // without a pause a server that is down would be flooded
	if in.RequestInterval != nil {
		if pause, err = modules.Float(in.RequestInterval); err != nil {
			return nil, err
		}
	}
	over := time.After(time.Duration(limit * float64(time.Second)))
	for {
		v, err := query(ctx, env, queryArgs{URL: in.URL, Kwargs: in.Kwargs})
		m, _ := v.(*ordered.Map)
		if err != nil || !m.Has("error") {
			return v, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-over:
			return v, nil
		case <-time.After(time.Duration(pause * float64(time.Second))):
		}
	}
}
