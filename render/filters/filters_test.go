package filters_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"brine/internal/ordered"
	"brine/render/jinja"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type functions struct{}

func (functions) Has(string) bool { return true }

func (functions) Call(_ context.Context, fun string, pos []any, _ *ordered.Map) (any, error) {
	if fun == "match.ifelse" {
		return pos[len(pos)-1], nil
	}
	return nil, errors.New("no such function: " + fun)
}

func render(t *testing.T, src string) (string, error) {
	t.Helper()
	return jinja.Render(t.Context(), &jinja.Input{Source: src, Salt: functions{}})
}

// TestSaltFilters has the examples of Salt's documentation and what the filters do at their edges.
func TestSaltFilters(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"{{ 'yes' | to_bool }}{{ 2 | to_bool }}{{ [] | to_bool }}{{ none | to_bool }}{{ 'no' | to_bool }}":            "TrueTrueFalseFalseFalse",
		"{{ 1457456400 | strftime('%Y') }}{{ '2002/12/25' | strftime }}{{ '2002-12-25 10:11' | strftime('%H.%M') }}":  "20162002-12-2510.11",
		"{{ 'abcd' | regex_search('^(.*)BC(.*)$', ignorecase=True) }}":                                                "('a', 'd')",
		"{{ 'abcd' | regex_match('BC') }}{{ 'ab' | regex_search('(x)?b') }}":                                          "None(None,)",
		"{{ 'lets replace spaces' | regex_replace('\\s+', '__') }}{{ 'ab' | regex_replace('(a)(b)', '\\\\2\\\\1') }}": "lets__replace__spacesba",
		"{{ 'example' | uuid }}":                                                                                                                     "9ade8beb-355a-50d8-9011-1c99848a7719",
		"{{ 'https://example.com?foo=bar%20baz' | regex_escape }}":                                                                                   "https://example\\.com\\?foo=bar%20baz",
		"{{ [1, 2, 3, 4] | avg }}{{ 3 | avg }}{{ [2, 1] | min }}{{ 'ab' | max }}":                                                                    "2.53.01b",
		"{{ [1, 2, 3, 4] | union([2, 4, 6]) }}{{ [1, 2, 3, 4] | intersect([2, 4, 6]) }}":                                                             "[1, 2, 3, 4, 6][2, 4]",
		"{{ [1, 2, 3, 4] | difference([2, 4, 6]) }}{{ [1, 2, 3, 4] | symmetric_difference([2, 4, 6]) }}":                                             "[1, 3][1, 3, 6]",
		"{{ [1, 2] | is_list }}{{ (1, 2) | is_list }}{{ 'x' | is_iter }}{{ {} | is_iter }}":                                                          "TrueFalseFalseTrue",
		"{{ [1, 2, 3] | is_sorted }}{{ [3, 1] | is_sorted }}{{ [3, 1] | is_sorted(reverse=true) }}":                                                  "TrueFalseTrue",
		"{{ 'abc' | is_hex }}{{ 'xyz' | is_hex }}{{ 'a b' | contains_whitespace }}":                                                                  "TrueFalseTrue",
		"{{ 5 | check_whitelist_blacklist(whitelist=[5, 6]) }}{{ 'web1' | check_whitelist_blacklist(['web*']) }}":                                    "FalseTrue",
		"{{ '5' | to_num }}{{ '1.5' | str_to_num }}{{ 'x' | to_num }}{{ 2.9 | to_num }}":                                                             "51.5x2",
		"{{ 'wall of text' | to_bytes }}{{ 'YQ==' | base64_decode }}":                                                                                "b'wall of text'a",
		"{{ 'random' | md5 }}{{ 'random' | sha1 }}":                                                                                                  "7ddf32e17a6ac5ce04a8ecbf782ca509a415ab5cc17c8c093c015ccdb7e552aee7911aa4",
		"{{ '32 GB' | human_to_bytes }} {{ '32 GB' | human_to_bytes(handle_metric=True) }} {{ '1.5k' | human_to_bytes }} {{ 'x' | human_to_bytes }}": "34359738368 32000000000 1536 0",
		"{{ {'a1': {'b1': {'c1': 'foo'}}} | traverse('a1:b1', 'default') }}{{ [1, [2]] | traverse('1:0') }}":                                         "{'c1': 'foo'}2",
		"{{ [1, 2] | combinations(1) | list }}{{ 'ab' | permutations | list | length }}{{ [1] | product([2], [3]) | list }}":                         "[(1,), (2,)]2[(1, 2, 3)]",
		"{{ [1, 2] | zip('ab') | list }}{{ [1] | zip_longest('ab', fillvalue=0) | list }}{{ 'abc' | compress([1, 0, 1]) | list }}":                   "[(1, 'a'), (2, 'b')][(1, 'a'), (0, 'b')]['a', 'c']",
		"{{ 'aabb' | method_call('count', 'a') }}{{ 'x' | method_call('nope') }}":                                                                    "2None",
		"{{ [1, 2, 3] | random_sample(2, seed='x') | length }}{{ [1] | random_shuffle }}":                                                            "2[1]",
		"{{ ['192.168.0.1', 'x', 'fe80::1'] | ipaddr }}{{ '192.168.0.1' | ipv4 }}{{ 'fe80::1' | ipv4 }}":                                             "['192.168.0.1', 'fe80::1']192.168.0.1None",
		"{{ '192.168.0.1/28' | ip_host }} {{ '192.168.0.1/29' | network_size }} {{ '192.168.0.1/30' | network_hosts }}":                              "192.168.0.1/28 8 ['192.168.0.1', '192.168.0.2']",
		"{{ '127.0.0.1' | is_ipv4(options='loopback') }}{{ '8.8.8.8' | is_ip(options='private') }}{{ 5 | is_ip }}":                                   "TrueFalseFalse",
		"{{ 'AC:DE:48' | gen_mac | length }}{{ '0a:00:00:00:00:01' | mac_str_to_bytes | length }}":                                                   "176",
		"{{ ['b', 'A'] | sorted_ignorecase }}{{ 'a' | ifelse('web*', 1, 2) }}{{ 'x' | skip }}":                                                       "['A', 'b']2",
		"{{ {'a': (1, 2)} | json_encode_dict }}{{ 'é' | yaml_dquote }}{{ 'é' | tojson }}{{ 1.5 | yaml_encode }}":                                     `{'a': [1, 2]}"\xE9""\u00e9"1.5`,
		"{{ none | yaml }}|{{ 'a' | yaml }}|{{ {'b': [1, {'c': none}]} | yaml(None) }}":                                                              "null|a|b:\n- 1\n- {c: null}",
		"{{ nope | default('d') }}{{ nope | yaml }}{{ [3, [4, [2]]] | flatten(levels=1) }}":                                                          "dNULL[3, 4, [2]]",
	} {
		out, err := render(t, src)
		if assert.NoError(t, err, src) {
			assert.Equal(t, want, out, src)
		}
	}
}

func TestSaltFiltersRefuse(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"{{ 'a' | regex_search('(') }}":          "Jinja error: missing ), unterminated subpattern at position 0",
		"{{ 5 | regex_match('x') }}":             "Jinja error: expected string or bytes-like object",
		"{{ {} | yaml_encode }}":                 "Jinja error: yaml_encode() only works with YAML scalar data; failed for <class 'dict'>",
		"{{ 'x' | load_json }}":                  "Jinja syntax error: Unable to load json from x",
		"{{ [1] | json_query('[') }}":            "Jinja error: ",
		"{{ 'x' | http_query }}":                 "Problem running salt function in Jinja template: no such function: http.query",
		"{{ 'x' | no_such }}":                    "Jinja syntax error: No filter named 'no_such'.",
		"{{ '10.0.0.0/8' | network_hosts }}":     "the network has more than",
		"{{ range(100) | permutations | list }}": "more than",
	} {
		_, err := render(t, src)
		assert.ErrorContains(t, err, want, src)
	}
}

func TestFiltersOfFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "t"), []byte("text\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), []byte{0, 1, 2}, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "e"), nil, 0o600))
	out, err := render(t, "{% set d = '"+dir+"' %}{% for f in 'tbe' %}{{ (d~'/'~f)|is_text_file }}{{ (d~'/'~f)|is_bin_file }}{{ (d~'/'~f)|is_empty }} {% endfor %}"+
		"{{ (d~'/t')|file_hashsum('md5') }} {{ d|list_files|length }} {{ d|path_join('/x', '..', 'y')|replace(d, '') }} {{ 'surely-not-here'|which }}")
	require.NoError(t, err)
	assert.Equal(t, "TrueFalseFalse FalseTrueFalse TrueFalseTrue e1cbb0c3879af8347246f12c559a86b5 4 /y None", out)
}
