package grains

import (
	"bufio"
	"context"
	"os"
	"regexp"
	"strings"

	"brine/internal/ordered"
)

var notWord = regexp.MustCompile(`[^A-Za-z0-9]`)

// pciDevice is a device as sysfs has it: four hex digits each.
type pciDevice struct{ vendor, device string }

// gpus sets num_gpus and gpus.
func (d *detector) gpus(_ context.Context, out *ordered.Map) {
	if !d.on("enable_lspci") || !d.on("enable_gpu_grains") {
		return
	}
	var found []pciDevice
	for _, slot := range d.root.list("/sys/bus/pci/devices") {
		dir := "/sys/bus/pci/devices/" + slot
		switch class := d.root.line(dir + "/class"); {
		case strings.HasPrefix(class, "0x0300"), strings.HasPrefix(class, "0x0302"), strings.HasPrefix(class, "0x0380"):
			found = append(found, pciDevice{d.pciID(dir + "/vendor"), d.pciID(dir + "/device")})
		}
	}
	if len(found) == 0 {
		return
	}
	names := d.pciNames(found)
	gpus := make([]any, len(found))
	for i, dev := range found {
		gpus[i] = ordered.Pairs("vendor", gpuVendor(names[pciDevice{vendor: dev.vendor}]), "model", names[dev])
	}
	out.Set("num_gpus", int64(len(gpus)))
	out.Set("gpus", gpus)
}

func (d *detector) pciID(p string) string { return strings.TrimPrefix(d.root.line(p), "0x") }

func gpuVendor(name string) string {
	words := notWord.Split(strings.ToLower(name), -1)
	for _, known := range []string{"nvidia", "amd", "ati", "intel", "cirrus logic", "vmware", "matrox", "aspeed"} {
		for _, w := range words {
			if w == known {
				return known
			}
		}
	}
	return "unknown"
}

// pciNames reads the names of vendors and devices from the list that lspci has. What is not in it is named by its number.
func (d *detector) pciNames(want []pciDevice) map[pciDevice]string {
	out := map[pciDevice]string{}
	for _, dev := range want {
		out[pciDevice{vendor: dev.vendor}] = "Vendor " + dev.vendor
		out[dev] = "Device " + dev.device
	}
	for _, p := range []string{"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"} {
		f, err := os.Open(d.root.path(p))
		if err != nil {
			continue
		}
		defer f.Close()
		scanPCI(bufio.NewScanner(f), out)
		return out
	}
	return out
}

func scanPCI(lines *bufio.Scanner, out map[pciDevice]string) {
	vendor := ""
	for lines.Scan() {
		b := lines.Bytes()
		if len(b) < 7 || b[0] == '#' || b[0] == '\t' && (b[1] == '\t' || vendor == "") {
			continue
		}
		if b[0] != '\t' {
			vendor = ""
			if key := (pciDevice{vendor: string(b[:4])}); out[key] != "" {
				vendor, out[key] = key.vendor, strings.TrimSpace(string(b[4:]))
			}
			continue
		}
		if key := (pciDevice{vendor, string(b[1:5])}); out[key] != "" {
			out[key] = strings.TrimSpace(string(b[5:]))
		}
	}
}
