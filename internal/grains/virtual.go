package grains

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"brine/internal/ordered"
)

// guest is the virtual and virtual_subtype grains while they are being worked out.
type guest struct{ kind, subtype string }

// virtual sets virtual, virtual_subtype and what Xen tells of itself. Hypervisors are looked for first and containers
// last, since a container may run in a virtual machine.
func (d *detector) virtual(_ context.Context, out *ordered.Map) {
	g := guest{kind: "physical"}
	if known, ok := d.systemdVirt(); ok {
		g = known
	} else {
		d.byFirmware(&g)
	}
	d.byRoot(&g)
	d.byXen(&g, out.String("productname"))
	if strings.Contains(d.root.read("/proc/cpuinfo"), "QEMU Virtual CPU") {
		g.kind = "kvm"
	}
	d.byProduct(&g)
	d.byContainer(&g)
	if g.subtype != "" && g.kind == "physical" {
		g.kind = "virtual"
	}
	d.byAmazon(&g)
	out.Set("virtual", g.kind)
	if g.subtype != "" {
		out.Set("virtual_subtype", g.subtype)
	}
	if strings.Contains(g.kind, "xen") {
		d.xenVersion(out)
	}
}

func (d *detector) dmiText(name string) string { return d.root.line("/sys/class/dmi/id/" + name) }

// systemdVirt answers as systemd-detect-virt would, in Salt's words. False is for what Salt does not take from it.
func (d *detector) systemdVirt() (guest, bool) {
	name := d.containerName()
	if name == "" {
		name = d.hypervisorName()
	}
	switch name {
	case "qemu", "kvm", "oracle", "xen", "bochs", "uml", "systemd-nspawn":
		return guest{kind: name}, true
	case "vmware":
		return guest{kind: "VMware"}, true
	case "microsoft":
		return guest{kind: "VirtualPC"}, true
	case "lxc", "lxc-libvirt":
		return guest{"container", "LXC"}, true
	case "amazon":
		return guest{"Nitro", "Amazon EC2"}, true
	}
	return guest{}, false
}

// containerName is the container manager that started this system's init, "" for none.
func (d *detector) containerName() string {
	name, _, _ := strings.Cut(d.root.line("/run/systemd/container"), "\n")
	if name == "" {
		for _, v := range strings.Split(d.root.read("/proc/1/environ"), "\x00") {
			if value, ok := strings.CutPrefix(v, "container="); ok {
				name = value
			}
		}
	}
	switch name {
	case "oci", "":
		if d.root.exists("/run/.containerenv") {
			return "podman"
		}
		if d.root.exists("/.dockerenv") {
			return "docker"
		}
	}
	return name
}

// hypervisorName is what the machine runs on, "" for the bare machine or when nothing tells.
func (d *detector) hypervisorName() string {
	firmware := d.firmwareName()
	cpu := d.root.read("/proc/cpuinfo")
	clocks := d.root.read("/sys/devices/system/clocksource/clocksource0/available_clocksource")
	switch {
	case firmware == "oracle" || firmware == "xen" || firmware == "amazon":
		return firmware
	case strings.Contains(cpu, "User Mode Linux"):
		return "uml"
	case d.root.isDir("/proc/xen"), d.root.line("/sys/hypervisor/type") == "xen":
		return "xen"
	case strings.Contains(clocks, "kvm-clock"):
		return "kvm"
	case strings.Contains(clocks, "hyperv"):
		return "microsoft"
	case firmware != "":
		return firmware
	}
	tree := d.root.read("/proc/device-tree/hypervisor/compatible")
	for _, known := range []string{"kvm", "xen", "vmware"} {
		if strings.Contains(tree, known) {
			return known
		}
	}
	return ""
}

// firmwareName recognises a hypervisor by what its firmware says.
func (d *detector) firmwareName() string {
	for _, file := range []string{"product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"} {
		text := d.dmiText(file)
		for _, known := range [][2]string{
			{"KVM", "kvm"}, {"OpenStack", "kvm"}, {"KubeVirt", "kvm"}, {"Amazon EC2", "amazon"}, {"QEMU", "qemu"}, {"VMware", "vmware"},
			{"VMW", "vmware"}, {"innotek GmbH", "oracle"}, {"VirtualBox", "oracle"}, {"Oracle Corporation", "oracle"}, {"Xen", "xen"},
			{"Bochs", "bochs"}, {"Parallels", "parallels"}, {"BHYVE", "bhyve"}, {"Hyper-V", "microsoft"}, {"Apple Virtualization", "apple"},
			{"Google Compute Engine", "google"},
		} {
			if !strings.HasPrefix(text, known[0]) {
				continue
			}
			if known[1] == "amazon" && strings.HasSuffix(d.dmiText("product_name"), ".metal") {
				return ""
			}
			return known[1]
		}
	}
	return ""
}

// byFirmware reads what dmidecode would print, or without such tables the devices on the PCI bus.
func (d *detector) byFirmware(g *guest) {
	if !d.root.isDir("/sys/class/dmi/id") {
		d.byDevices(g)
		return
	}
	maker, product, bios := d.dmiText("sys_vendor"), d.dmiText("product_name"), d.dmiText("bios_vendor")
	all := strings.Join([]string{maker, product, bios, d.dmiText("board_vendor"), d.dmiText("product_version")}, "\n")
	starts := func(s ...string) bool { return strings.HasPrefix(s[0], s[1]) || strings.HasPrefix(s[0], s[2]) }
	if starts(maker, "QEMU", "Bochs") || starts(bios, "QEMU", "Bochs") {
		g.kind = "kvm"
	}
	switch {
	case strings.Contains(all, "BHYVE"):
		g.kind = "bhyve"
	case strings.HasPrefix(maker, "oVirt"):
		*g = guest{"kvm", "ovirt"}
	case strings.HasPrefix(product, "RHEV Hypervisor"):
		*g = guest{"kvm", "rhev"}
	case strings.Contains(all, "VirtualBox"):
		g.kind = "VirtualBox"
	case strings.Contains(all, "VMware"):
		g.kind = "VMware"
	case strings.HasPrefix(maker, "Microsoft") && strings.Contains(all, "Virtual Machine"):
		g.kind = "VirtualPC"
	case strings.Contains(all, "Parallels Software"):
		g.kind = "Parallels"
	case strings.HasPrefix(maker, "Google"), strings.HasPrefix(bios, "SeaBIOS"):
		g.kind = "kvm"
	}
}

func (d *detector) byDevices(g *guest) {
	if !d.on("enable_lspci") {
		return
	}
	for _, slot := range d.root.list("/sys/bus/pci/devices") {
		switch d.pciID("/sys/bus/pci/devices/" + slot + "/vendor") {
		case "15ad":
			g.kind = "VMware"
			return
		case "80ee":
			g.kind = "VirtualBox"
			return
		case "1234", "1b36", "1af4":
			g.kind = "kvm"
		}
	}
}

var openVZ = regexp.MustCompile(`(?m)^envID:\s+(\d+)$`)

// byRoot notices a changed root and OpenVZ.
func (d *detector) byRoot(g *guest) {
	if !d.root.same("/", "/proc/1/root/.") {
		g.subtype = "chroot"
	}
	switch {
	case d.root.isFile("/proc/vz/version"):
		g.kind = "openvzhn"
	case d.root.isFile("/proc/vz/veinfo"):
		g.kind = "openvzve"
	}
	if m := openVZ.FindStringSubmatch(d.root.read("/proc/self/status")); m != nil {
		g.kind = "openvzve"
		if n, err := strconv.Atoi(m[1]); err == nil && n == 0 {
			g.kind = "openvzhn"
		}
	}
}

func (d *detector) byXen(g *guest, product string) {
	if !d.root.isDir("/proc/sys/xen") && !d.root.isDir("/sys/bus/xen") && !d.root.isDir("/proc/xen") {
		return
	}
	switch {
	case d.root.isFile("/proc/xen/xsd_kva"):
		g.subtype = "Xen Dom0"
	case product == "HVM domU":
		g.subtype = "Xen HVM DomU"
	case d.root.isFile("/proc/xen/capabilities") && d.root.readable("/proc/xen/capabilities"):
		g.subtype = "Xen PV DomU"
		if strings.Contains(d.root.read("/proc/xen/capabilities"), "control_d") {
			g.subtype = "Xen Dom0"
		}
	case d.root.isDir("/sys/bus/xen/drivers/xenconsole"):
		g.subtype = "Xen PV DomU"
	}
	if strings.Contains(strings.ToLower(g.subtype), "dom") {
		g.kind = "xen"
	}
}

func (d *detector) byProduct(g *guest) {
	switch product := d.root.read("/sys/devices/virtual/dmi/id/product_name"); {
	case strings.Contains(product, "VirtualBox"):
		g.kind = "VirtualBox"
	case strings.Contains(product, "RHEV Hypervisor"):
		*g = guest{"kvm", "rhev"}
	case strings.Contains(product, "oVirt Node"):
		*g = guest{"kvm", "ovirt"}
	case strings.Contains(product, "Google"):
		g.kind = "gce"
	case strings.Contains(product, "BHYVE"):
		g.kind = "bhyve"
	}
}

func (d *detector) byContainer(g *guest) {
	groups := d.root.read("/proc/1/cgroup")
	has := strings.Contains
	switch {
	case has(groups, ":/lxc/"):
		*g = guest{"container", "LXC"}
	case has(groups, ":/kubepods/"):
		g.subtype = "kubernetes"
	case has(groups, ":/libpod_parent/"):
		g.subtype = "libpod"
	case has(groups, ":/system.slice/docker"), has(groups, ":/docker/"), has(groups, ":/docker-ce/"):
		*g = guest{"container", "Docker"}
	}
	if g.subtype != "LXC" && has(d.root.read("/proc/1/environ"), "container=lxc") {
		*g = guest{"container", "LXC"}
	}
}

func (d *detector) byAmazon(g *guest) {
	if g.kind != "qemu" && g.kind != "kvm" && g.kind != "xen" && g.kind != "amazon" {
		return
	}
	if d.dmiText("sys_vendor") == "Amazon EC2" {
		if g.kind != "xen" {
			g.kind = "Nitro"
		}
		g.subtype = "Amazon EC2"
		if p := d.dmiText("product_name"); p != "" {
			g.subtype += " (" + p + ")"
		}
	} else if _, after, ok := strings.Cut(d.dmiText("product_version"), ".amazon"); ok && after != "." {
		g.subtype = "Amazon EC2"
	}
}
