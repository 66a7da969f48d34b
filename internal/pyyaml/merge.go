package pyyaml

import "slices"

// flatten puts the entries that << brings in before a map's own ones. A key the map has itself wins; the same key from
// two merged maps is left to be reported as a conflict, as Salt does.
func (c *constructor) flatten(n *docNode) error {
	if c.flat[n] {
		return nil
	}
	c.flat[n] = true
	var merged, own []*docNode
	for i := 0; i+1 < len(n.content); i += 2 {
		k, v := n.content[i], n.content[i+1]
		if k.kind != scalarNode || tagOf(k) != tagMerge {
			own = append(own, k, v)
			continue
		}
		entries, err := c.mergeable(n, v)
		if err != nil {
			return err
		}
		merged = append(merged, entries...)
	}
	if len(merged) == 0 && len(own) == len(n.content) {
		return nil
	}
	var out []*docNode
	for i := 0; i+1 < len(merged); i += 2 {
		if !hasKey(own, merged[i]) {
			out = append(out, merged[i], merged[i+1])
		}
	}
	n.content = append(out, own...)
	return nil
}

func hasKey(own []*docNode, k *docNode) bool {
	for i := 0; i+1 < len(own); i += 2 {
		if o := own[i]; o.kind == k.kind && o.value == k.value && len(o.content) == len(k.content) && (len(o.content) == 0 || o == k) {
			return true
		}
	}
	return false
}

// mergeable is what v, the value of a << key of n, brings in: of several maps the first comes last and so wins.
func (c *constructor) mergeable(n, v *docNode) ([]*docNode, error) {
	switch v.kind {
	case mappingNode:
		if err := c.flatten(v); err != nil {
			return nil, err
		}
		return v.content, nil
	case sequenceNode:
		var parts [][]*docNode
		for _, sub := range v.content {
			if s := sub; s.kind != mappingNode {
				return nil, c.failIn(n, s, "expected a mapping for merging, but found "+kindName(s))
			} else if err := c.flatten(s); err != nil {
				return nil, err
			} else {
				parts = append(parts, s.content)
			}
		}
		slices.Reverse(parts)
		return slices.Concat(parts...), nil
	}
	return nil, c.failIn(n, v, "expected a mapping or list of mappings for merging, but found "+kindName(v))
}
