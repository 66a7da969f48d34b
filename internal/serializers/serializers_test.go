package serializers

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func TestSerialize(t *testing.T) {
	t.Parallel()
	data := ordered.Pairs("foo", "bar", "a", []any{1, nil, true})
	for _, c := range []struct {
		name, want string
		options    *ordered.Map
	}{
		{"json", `{"foo": "bar", "a": [1, null, true]}`, nil},
		{"json", "{\n \"a\": [\n  1,\n  null,\n  true\n ],\n \"foo\": \"bar\"\n}", ordered.Pairs("indent", 1, "sort_keys", true)},
		{"yaml", "a: [1, null, true]\nfoo: bar", nil},
		{"yaml", "a:\n- 1\n- null\n- true\nfoo: bar", ordered.Pairs("default_flow_style", false)},
		{"python", "{'a': [1, None, True], 'foo': 'bar'}", nil},
	} {
		got, err := Serialize(c.name, data, c.options)
		require.NoError(t, err)
		assert.Equal(t, c.want, got, c.name)
	}
	got, err := Serialize("yaml", "word", nil)
	require.NoError(t, err)
	assert.Equal(t, "word", got)
	got, err = Serialize("configparser", ordered.Pairs("s", ordered.Pairs("Key", 1, "t", "a\nb"), "DEFAULT", ordered.Pairs("d", "x")), nil)
	require.NoError(t, err)
	assert.Equal(t, "[DEFAULT]\nd = x\n\n[s]\nkey = 1\nt = a\n\tb\n\n", got)
	_, err = Serialize("zzz", data, nil)
	assert.EqualError(t, err, "Serializer 'zzz' not found.")
	_, err = Serialize("configparser", "x", nil)
	assert.EqualError(t, err, "configparser can only serialize dictionaries, not <class 'str'>")
}

func TestDeserialize(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"json":         {`{"b": 1, "a": [null]}`, "{'b': 1, 'a': [None]}"},
		"yaml":         {"b: 1\na: [~]\n", "{'b': 1, 'a': [None]}"},
		"configparser": {"# c\n[DEFAULT]\nd = x\n[s]\nK: 1\n more\n", `{'s': {'d': 'x', 'k': '1\nmore'}}`},
	} {
		got, err := Deserialize(name, c[0])
		require.NoError(t, err, name)
		assert.Equal(t, c[1], pyfmt.Repr(got), name)
	}
	for _, bad := range [][2]string{{"json", "{"}, {"yaml", "a: ["}, {"configparser", "x = 1"}, {"configparser", "[s]\nnothing"}, {"python", "1"}, {"zzz", ""}} {
		_, err := Deserialize(bad[0], bad[1])
		assert.Error(t, err, bad)
	}
}

func FuzzReadIni(f *testing.F) {
	f.Add("[a]\nb = c\n d\n")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = readIni(s) })
}
