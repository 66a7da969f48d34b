package pyyaml

import "strings"

// fetch adds the next token, and what begins or ends with it, to the queue.
func (s *scanner) fetch() {
	s.toNextToken()
	s.dropStaleKeys()
	s.unroll(s.column())
	if s.end() {
		s.fetchEnd()
		return
	}
	c := s.c(0)
	switch {
	case s.column() == 0 && c == '%':
		s.fetchDirective()
	case s.documentMark():
		s.fetchDocumentMark(c)
	case c == '[' || c == '{':
		s.fetchFlowStart(c)
	case c == ']' || c == '}':
		s.fetchFlowEnd(c)
	case c == ',':
		s.removeKey()
		s.keyAllowed = true
		s.fetchIndicator(flowEntry)
	case c == '-' && s.blankzAt(1):
		s.fetchBlockEntry()
	case c == '?' && (s.flowLevel > 0 || s.blankzAt(1)):
		s.fetchKey()
	case c == ':' && (s.flowLevel > 0 || s.blankzAt(1)):
		s.fetchValue()
	default:
		s.fetchContent(c)
	}
}

func (s *scanner) fetchContent(c byte) {
	switch {
	case c == '*' || c == '&':
		s.saveKey()
		s.keyAllowed = false
		s.scanAnchor(c)
	case c == '!':
		s.saveKey()
		s.keyAllowed = false
		s.scanTag()
	case (c == '|' || c == '>') && s.flowLevel == 0:
		s.removeKey()
		s.keyAllowed = true
		s.scanBlock(c == '|')
	case c == '\'' || c == '"':
		s.saveKey()
		s.keyAllowed = false
		s.scanQuoted(c)
	case s.plainMayStart(c):
		s.saveKey()
		s.keyAllowed = false
		s.scanPlain()
	default:
		s.fail("while scanning for the next token", &s.mark, "found character that cannot start any token")
	}
}

func (s *scanner) plainMayStart(c byte) bool {
	if !s.blankzAt(0) && strings.IndexByte("-?:,[]{}#&*!|>'\"%@`", c) < 0 {
		return true
	}
	return c == '-' && !isBlankByte(s.c(1)) || s.flowLevel == 0 && (c == '?' || c == ':') && !s.blankzAt(1)
}

func (s *scanner) fetchEnd() {
	if s.column() != 0 {
		s.mark.Line++
		s.mark.Column = 1
	}
	s.unroll(-1)
	s.removeKey()
	s.keyAllowed = false
	s.add(token{kind: streamEnd, start: s.mark, end: s.mark})
	s.done = true
}

func (s *scanner) fetchIndicator(kind tokenKind) {
	start := s.mark
	s.skip()
	s.add(token{kind: kind, start: start, end: s.mark})
}

func (s *scanner) fetchDocumentMark(c byte) {
	s.unroll(-1)
	s.removeKey()
	s.keyAllowed = false
	start := s.mark
	s.skipBytes(3)
	kind := documentStart
	if c == '.' {
		kind = documentEnd
	}
	s.add(token{kind: kind, start: start, end: s.mark})
}

func (s *scanner) fetchFlowStart(c byte) {
	s.saveKey()
	s.keys = append(s.keys, simpleKey{})
	s.flowLevel++
	s.keyAllowed = true
	if c == '[' {
		s.fetchIndicator(flowSequenceStart)
	} else {
		s.fetchIndicator(flowMappingStart)
	}
}

func (s *scanner) fetchFlowEnd(c byte) {
	s.removeKey()
	if s.flowLevel > 0 {
		s.flowLevel--
		s.keys = s.keys[:len(s.keys)-1]
	}
	s.keyAllowed = false
	if c == ']' {
		s.fetchIndicator(flowSequenceEnd)
	} else {
		s.fetchIndicator(flowMappingEnd)
	}
}

func (s *scanner) fetchBlockEntry() {
	if s.flowLevel == 0 {
		if !s.keyAllowed {
			s.fail("", nil, "block sequence entries are not allowed in this context")
		}
		s.roll(s.column(), -1, blockSequenceStart, s.mark)
	}
	s.removeKey()
	s.keyAllowed = true
	s.fetchIndicator(blockEntry)
}

func (s *scanner) fetchKey() {
	if s.flowLevel == 0 {
		if !s.keyAllowed {
			s.fail("", nil, "mapping keys are not allowed in this context")
		}
		s.roll(s.column(), -1, blockMappingStart, s.mark)
	}
	s.removeKey()
	s.keyAllowed = s.flowLevel == 0
	s.fetchIndicator(keyToken)
}

func (s *scanner) fetchValue() {
	if k := &s.keys[len(s.keys)-1]; k.possible {
		s.insert(k.number, token{kind: keyToken, start: k.mark, end: k.mark})
		s.roll(k.mark.Column-1, k.number, blockMappingStart, k.mark)
		k.possible = false
		s.keyAllowed = false
	} else {
		if s.flowLevel == 0 {
			if !s.keyAllowed {
				s.fail("", nil, "mapping values are not allowed in this context")
			}
			s.roll(s.column(), -1, blockMappingStart, s.mark)
		}
		s.keyAllowed = s.flowLevel == 0
	}
	s.fetchIndicator(valueToken)
}
