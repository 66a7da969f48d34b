package grains

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// debArch tells for which of Debian's architectures a program is built: what dpkg --print-architecture says of dpkg.
func debArch(program string) string {
	f, err := os.Open(program)
	if err != nil {
		return ""
	}
	defer f.Close()
	var head [52]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || string(head[:4]) != elf.ELFMAG {
		return ""
	}
	var order binary.ByteOrder = binary.LittleEndian
	little := elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2LSB
	if !little {
		order = binary.BigEndian
	}
	wide := elf.Class(head[elf.EI_CLASS]) == elf.ELFCLASS64
	switch elf.Machine(order.Uint16(head[18:])) {
	case elf.EM_X86_64:
		if !wide {
			return "x32"
		}
		return "amd64"
	case elf.EM_386:
		return "i386"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_ARM:
		if order.Uint32(head[36:])&0x400 != 0 { // hard-float ABI
			return "armhf"
		}
		return "armel"
	case elf.EM_RISCV:
		return "riscv64"
	case elf.EM_PPC64:
		if little {
			return "ppc64el"
		}
		return "ppc64"
	case elf.EM_S390:
		return "s390x"
	case elf.EM_LOONGARCH:
		return "loong64"
	case elf.EM_MIPS:
		name := "mips"
		if wide {
			name = "mips64"
		}
		if little {
			name += "el"
		}
		return name
	}
	return ""
}

// debName is Debian's name for what uname calls the machine.
func debName(machine string) string {
	switch {
	case machine == "x86_64":
		return "amd64"
	case machine == "aarch64":
		return "arm64"
	case len(machine) == 4 && machine[0] == 'i' && strings.HasSuffix(machine, "86"):
		return "i386"
	case strings.HasPrefix(machine, "armv7"), strings.HasPrefix(machine, "armv8"):
		return "armhf"
	case machine == "ppc64le":
		return "ppc64el"
	}
	return machine
}

// opkgArchs lists the architectures of opkg, the preferred one first.
func (d *detector) opkgArchs() []string {
	prio := map[string]int{}
	var names []string
	for _, p := range d.root.glob("/etc/opkg/*.conf") {
		for line := range strings.Lines(d.root.read(p)) {
			f := strings.Fields(line)
			if len(f) != 3 || f[0] != "arch" {
				continue
			}
			n, err := strconv.Atoi(f[2])
			if err != nil {
				continue
			}
			if _, have := prio[f[1]]; !have {
				names = append(names, f[1])
			}
			prio[f[1]] = n
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(prio[b], prio[a]) })
	return names
}

// readable tells whether there is a file that we may read.
func (r root) readable(p string) bool { return unix.Access(r.path(p), unix.R_OK) == nil && r.exists(p) }

func sortedSet(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return slices.Compact(s)
}
