package grains

import (
	"context"
	"strconv"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// cpu sets num_cpus, cpu_model and cpu_flags.
func (d *detector) cpu(_ context.Context, out *ordered.Map) {
	n, model, flags := int64(0), "Unknown", []string{}
	for line := range strings.Lines(d.root.read("/proc/cpuinfo")) {
		f := strings.Split(line, ":")
		if len(f) < 2 {
			continue
		}
		v := strings.TrimSpace(f[1])
		switch strings.TrimSpace(f[0]) {
		case "processor":
			n++
		case "# processors": // s390
			if i, err := strconv.ParseInt(v, 10, 64); err == nil {
				n = i
			}
		case "vendor_id", "model name", "cpu":
			model = v
		case "flags", "Features":
			flags = strings.Fields(v)
		case "Processor": // old ARM kernels
			model, _, _ = strings.Cut(v, "-")
			n = 1
		}
	}
	out.Set("num_cpus", n)
	out.Set("cpu_model", model)
	out.Set("cpu_flags", list(flags))
}

// list makes job data of texts.
func list(s []string) []any {
	out := make([]any, len(s))
	for i, v := range s {
		out[i] = v
	}
	return out
}

// memory sets mem_total and swap_total, in MiB.
func (d *detector) memory(_ context.Context, out *ordered.Map) {
	keys := map[string]string{"MemTotal:": "mem_total", "SwapTotal:": "swap_total"}
	out.Set("mem_total", int64(0))
	out.Set("swap_total", int64(0))
	for line := range strings.Lines(d.root.read("/proc/meminfo")) {
		if f := strings.Fields(line); len(f) > 1 && keys[f[0]] != "" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			out.Set(keys[f[0]], kb/1024)
		}
	}
}

// dmi sets the grains that come from the firmware's tables.
func (d *detector) dmi(_ context.Context, out *ordered.Map) {
	for _, f := range [][2]string{
		{"biosversion", "bios_version"}, {"biosvendor", "bios_vendor"}, {"boardname", "board_name"},
		{"productname", "product_name"}, {"manufacturer", "sys_vendor"}, {"biosreleasedate", "bios_date"},
		{"uuid", "product_uuid"}, {"serialnumber", "product_serial"},
	} {
		p := "/sys/class/dmi/id/" + f[1]
		if !d.root.readable(p) {
			continue
		}
		v := strings.ToValidUTF8(d.root.line(p), "\uFFFD")
		if f[0] == "uuid" {
			v = strings.ToLower(v)
		}
		out.Set(f[0], v)
	}
}

// deviceTree sets manufacturer, productname and serialnumber on boards that have no such tables.
func (d *detector) deviceTree(_ context.Context, out *ordered.Map) {
	text := func(name string) string { return strings.TrimRight(d.root.read("/proc/device-tree/"+name), "\x00") }
	if model := text("model"); model != "" {
		if maker, product, ok := strings.Cut(model, ","); ok {
			out.Set("manufacturer", maker)
			model = product
		}
		out.Set("productname", model)
	}
	for _, name := range []string{"system-id", "serial-number"} {
		if v := text(name); v != "" {
			out.Set("serialnumber", v)
		}
	}
}

// disks sets disks (those that turn), ssds and mdadm.
func (d *detector) disks(_ context.Context, out *ordered.Map) {
	hdds, ssds := []any{}, []any{}
	for _, name := range d.root.list("/sys/block") {
		if strings.HasPrefix(d.root.link("/sys/block/"+name), "../devices/virtual/") {
			continue
		}
		switch flag := d.root.read("/sys/block/" + name + "/queue/rotational"); {
		case strings.HasPrefix(flag, "0"):
			ssds = append(ssds, name)
		case strings.HasPrefix(flag, "1"):
			hdds = append(hdds, name)
		}
	}
	out.Set("disks", hdds)
	out.Set("ssds", ssds)
	if !d.root.exists("/proc/mdstat") {
		return
	}
	var arrays []string
	for line := range strings.Lines(d.root.read("/proc/mdstat")) {
		name, _, ok := strings.Cut(line, " : ")
		if ok && name != "Personalities" && !strings.HasPrefix(name, "unused devices") {
			arrays = append(arrays, name)
		}
	}
	out.Set("mdadm", list(sortedSet(arrays)))
}

// firmware sets efi and efi-secure-boot.
func (d *detector) firmware(_ context.Context, out *ordered.Map) {
	pattern := ""
	switch {
	case d.root.exists("/sys/firmware/efi/efivars"):
		pattern = "/sys/firmware/efi/efivars/SecureBoot-*"
	case d.root.exists("/sys/firmware/efi/vars"):
		pattern = "/sys/firmware/efi/vars/SecureBoot-*/data"
	}
	secure := false
	if found := d.root.glob(pattern); pattern != "" && len(found) == 1 {
		secure = strings.HasSuffix(d.root.read(found[0]), "\x01")
	}
	out.Set("efi", pattern != "")
	out.Set("efi-secure-boot", secure)
}

// architecture sets osarch: the name that the system's packages have for the machine.
func (d *detector) architecture(_ context.Context, out *ordered.Map) {
	arch := d.m.Arch
	switch out.String("os_family") {
	case "Debian":
		if v := debArch(d.root.path("/usr/bin/dpkg")); v != "" {
			arch = v
		} else {
			arch = debName(arch)
		}
	case "NILinuxRT", "Poky":
		out.Set("osarch", list(d.opkgArchs()))
		return
	}
	out.Set("osarch", arch)
}

// release sets osrelease_info, osmajorrelease and osfinger.
func (d *detector) release(_ context.Context, out *ordered.Map) {
	version := out.String("osrelease")
	if version == "" {
		return
	}
	var info []any
	for _, part := range strings.Split(version, ".") {
		if n, err := strconv.ParseUint(part, 10, 63); err == nil && !strings.HasPrefix(part, "+") {
			info = append(info, int64(n))
		} else {
			info = append(info, part)
		}
	}
	out.Set("osrelease_info", info)
	if n, ok := info[0].(int64); ok {
		out.Set("osmajorrelease", n)
	}
	name, first := out.String("osfullname"), pyfmt.Str(info[0])
	switch out.String("os") {
	case "Debian", "Raspbian":
		name = out.String("os")
	case "Ubuntu", "Pop":
		first = version
	}
	out.Set("osfinger", name+"-"+first)
}
