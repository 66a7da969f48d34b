// Package pyrandom repeats Python's random module for a given seed (the Mersenne Twister), so that functions with a
// seed answer as they do under Salt. It is no source of secrets.
package pyrandom

import (
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"math/bits"
)

const (
	size      = 624
	shift     = 397
	upperMask = 0x80000000
	lowerMask = 0x7fffffff
)

// Rand is random.Random.
type Rand struct {
	mt    [size]uint32
	index int
}

// FromText is random.Random(text): seeding version 2, which adds the text's SHA-512.
func FromText(text string) *Rand {
	sum := sha512.Sum512([]byte(text))
	return fromInt(new(big.Int).SetBytes(append([]byte(text), sum[:]...)))
}

// FromInt is random.Random(n).
func FromInt(n int64) *Rand { return fromInt(new(big.Int).Abs(big.NewInt(n))) }

func fromInt(n *big.Int) *Rand {
	raw := n.Bytes()
	for len(raw)%4 != 0 || len(raw) == 0 {
		raw = append([]byte{0}, raw...)
	}
	key := make([]uint32, len(raw)/4)
	for i := range key {
		key[i] = binary.BigEndian.Uint32(raw[len(raw)-4*(i+1):])
	}
	return byArray(key)
}

func byArray(key []uint32) *Rand {
	r := &Rand{index: size}
	r.mt[0] = 19650218
	for i := uint32(1); i < size; i++ {
		r.mt[i] = 1812433253*(r.mt[i-1]^r.mt[i-1]>>30) + i
	}
	i, j := 1, 0
	next := func() {
		if i++; i >= size {
			r.mt[0], i = r.mt[size-1], 1
		}
	}
	for range max(size, len(key)) {
		r.mt[i] = (r.mt[i] ^ (r.mt[i-1]^r.mt[i-1]>>30)*1664525) + key[j] + uint32(j)
		next()
		if j++; j >= len(key) {
			j = 0
		}
	}
	for range size - 1 {
		r.mt[i] = (r.mt[i] ^ (r.mt[i-1]^r.mt[i-1]>>30)*1566083941) - uint32(i)
		next()
	}
	r.mt[0] = upperMask
	return r
}

func (r *Rand) uint32() uint32 {
	if r.index >= size {
		r.twist()
	}
	y := r.mt[r.index]
	r.index++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *Rand) twist() {
	for i := range size {
		y := r.mt[i]&upperMask | r.mt[(i+1)%size]&lowerMask
		v := r.mt[(i+shift)%size] ^ y>>1
		if y&1 != 0 {
			v ^= 0x9908b0df
		}
		r.mt[i] = v
	}
	r.index = 0
}

// bits is getrandbits(k) for k up to 64.
func (r *Rand) bits(k int) uint64 {
	if k <= 32 {
		return uint64(r.uint32() >> (32 - k))
	}
	low := uint64(r.uint32())
	return low | uint64(r.uint32()>>(64-k))<<32
}

// Below is random.randrange(n) for n above 0.
func (r *Rand) Below(n uint64) uint64 {
	k := bits.Len64(n)
	for {
		if v := r.bits(k); v < n {
			return v
		}
	}
}

// Int is random.randint(a, b), both included.
func (r *Rand) Int(a, b int64) int64 { return a + int64(r.Below(uint64(b-a)+1)) }

// Sample is random.sample of the numbers below n: k of them, without repeats.
func (r *Rand) Sample(n, k int) []int {
	setsize := 21
	if k > 5 {
		setsize += pow4(k * 3)
	}
	out := make([]int, k)
	if n <= setsize {
		pool := make([]int, n)
		for i := range pool {
			pool[i] = i
		}
		for i := range k {
			j := int(r.Below(uint64(n - i)))
			out[i], pool[j] = pool[j], pool[n-i-1]
		}
		return out
	}
	seen := map[int]bool{}
	for i := range k {
		j := int(r.Below(uint64(n)))
		for seen[j] {
			j = int(r.Below(uint64(n)))
		}
		seen[j] = true
		out[i] = j
	}
	return out
}

// pow4 is 4 ** ceil(log(n, 4)): the smallest power of four not below n.
func pow4(n int) int {
	p := 1
	for p < n {
		p *= 4
	}
	return p
}

// Shuffle is random.shuffle.
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(r.Below(uint64(i+1))))
	}
}
