package grains

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"brine/internal/ifaces"
	"brine/internal/ordered"
)

func TestHardware(t *testing.T) {
	t.Parallel()
	got := detect(t, map[string]string{
		"proc/cpuinfo":                                      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i7\nflags\t\t: fpu vme\n\nprocessor\t: 1\nmodel name\t: Intel(R) Core(TM) i7\nflags\t\t: fpu vme\n",
		"proc/meminfo":                                      "MemTotal:       16303404 kB\nMemFree: 1 kB\nSwapTotal:       2097148 kB\n",
		"proc/cmdline":                                      "BOOT_IMAGE=/vmlinuz root=UUID=ab-cd ro quiet console=\"tty0 x\"\n",
		"proc/mdstat":                                       "Personalities : [raid1]\nmd1 : active raid1 sdb1[1]\nmd0 : active raid1 sda1[0]\n      1 blocks\n\nunused devices: <none>\n",
		"sys/class/dmi/id/sys_vendor":                       "Dell Inc.\n",
		"sys/class/dmi/id/product_name":                     "XPS 13\n",
		"sys/class/dmi/id/product_uuid":                     "4C4C4544-0042\n",
		"etc/machine-id":                                    "abc\n",
		"sys/block/sda/queue/rotational":                    "1\n",
		"sys/block/nvme0n1/queue/rotational":                "0\n",
		"sys/firmware/efi/efivars/SecureBoot-8be4df61":      "\x06\x00\x00\x00\x01",
		"sys/bus/pci/devices/0000:00:02.0/class":            "0x030000\n",
		"sys/bus/pci/devices/0000:00:02.0/vendor":           "0x8086\n",
		"sys/bus/pci/devices/0000:00:02.0/device":           "0x5916\n",
		"usr/share/misc/pci.ids":                            "# list\n1002  AMD\n\t5916  Wrong\n8086  Intel Corporation\n\t5916  HD Graphics 620\n\t\t1028 075b  XPS\nC 03  Display\n",
		"usr/bin/systemctl":                                 "x",
		"usr/bin/localectl":                                 "x",
		"usr/lib/systemd/libsystemd-shared-254.5-2.fc39.so": "not elf",
		"run/systemd/system/x":                              "",
		"etc/passwd":                                        "root:x:0:0:root:/root:/bin/sh\n",
		"usr/sbin/selinuxenabled":                           "x",
		"usr/sbin/getenforce":                               "x",
		"sys/fs/selinux/enforce":                            "1",
		"sys/devices/virtual/dmi/id/product_name":           "XPS 13\n",
	})
	want := ordered.Pairs(
		"num_cpus", 2, "cpu_model", "Intel(R) Core(TM) i7", "cpu_flags", []any{"fpu", "vme"}, "mem_total", 15921, "swap_total", 2047,
		"manufacturer", "Dell Inc.", "productname", "XPS 13", "uuid", "4c4c4544-0042", "machine_id", "abc", "virtual", "physical",
		"virtual_subtype", nil, "disks", []any{"sda"}, "ssds", []any{"nvme0n1"}, "mdadm", []any{"md0", "md1"}, "efi", true, "efi-secure-boot", true,
		"num_gpus", 1, "gpus", []any{ordered.Pairs("vendor", "intel", "model", "HD Graphics 620")}, "init", "systemd",
		"systemd", ordered.Pairs("version", "254", "features", ""), "selinux", ordered.Pairs("enabled", true, "enforced", "Enforcing"),
		"username", "root", "groupname", 0, "uid", 0, "shell", "/bin/sh", "systempath", []any{"/usr/bin", "/bin"}, "ps", "ps -efHww",
		"kernelparams", []any{[]any{"BOOT_IMAGE", "/vmlinuz"}, []any{"root", nil}, []any{"ro", nil}, []any{"quiet", nil}, []any{"console", "tty0 x"}},
		"id", "m1", "master", "salt", "server_id", 890885657, "saltversion", "3006.0", "saltversioninfo", []any{3006, 0}, "brineversion", "1.0",
		"kernel", "Linux", "nodename", "m1", "localhost", "m1", "fqdn", "m1", "host", "m1", "domain", "", "transactional", false,
	)
	for k, v := range want.All() {
		assert.Truef(t, ordered.Equal(ordered.Of(v), got.Value(k)), "%s: want %v, got %v", k, v, got.Value(k))
	}
}

func TestBoard(t *testing.T) {
	t.Parallel()
	got := detect(t, map[string]string{
		"proc/device-tree/model":         "Raspberry Pi 4 Model B Rev 1.4\x00",
		"proc/device-tree/serial-number": "10000000abcdef\x00",
		"proc/cpuinfo":                   "processor\t: 0\nFeatures\t: half thumb\n\nprocessor\t: 1\nHardware\t: BCM2711\n",
		"proc/1/cmdline":                 "/sbin/init\x00splash\x00",
		"sbin/init":                      "ELF ... this is SysVinit and systemd",
	})
	assert.Equal(t, "Raspberry Pi 4 Model B Rev 1.4", got.Value("productname"))
	assert.Equal(t, "10000000abcdef", got.Value("serialnumber"))
	assert.Equal(t, int64(2), got.Value("num_cpus"))
	assert.Equal(t, "Unknown", got.Value("cpu_model"))
	assert.Equal(t, "physical", got.Value("virtual"))
	assert.Equal(t, "sysvinit", got.Value("init"))
	assert.False(t, got.Has("mdadm"))
	assert.False(t, got.Has("selinux"))
}

func TestVirtual(t *testing.T) {
	t.Parallel()
	const dmi = "sys/class/dmi/id/"
	for _, c := range []struct {
		name          string
		files         map[string]string
		kind, subtype string
	}{
		{"kvm", map[string]string{dmi + "sys_vendor": "QEMU", "sys/devices/system/clocksource/clocksource0/available_clocksource": "kvm-clock tsc"}, "kvm", ""},
		{"qemu", map[string]string{dmi + "sys_vendor": "QEMU"}, "qemu", ""},
		{"virtualbox", map[string]string{dmi + "product_name": "VirtualBox", "sys/devices/virtual/dmi/id/product_name": "VirtualBox"}, "VirtualBox", ""},
		{"vmware", map[string]string{dmi + "sys_vendor": "VMware, Inc."}, "VMware", ""},
		{"hyper-v", map[string]string{dmi + "sys_vendor": "Microsoft Corporation", dmi + "product_name": "Virtual Machine"}, "VirtualPC", ""},
		{"seabios", map[string]string{dmi + "bios_vendor": "SeaBIOS"}, "kvm", ""},
		{"google", map[string]string{dmi + "product_name": "Google Compute Engine", dmi + "sys_vendor": "Google", "sys/devices/virtual/dmi/id/product_name": "Google Compute Engine"}, "gce", ""},
		{"nitro", map[string]string{dmi + "sys_vendor": "Amazon EC2", dmi + "product_name": "t3.micro"}, "Nitro", "Amazon EC2"},
		{"metal", map[string]string{dmi + "sys_vendor": "Amazon EC2", dmi + "product_name": "m5.metal"}, "physical", ""},
		{"xen", map[string]string{"proc/xen/capabilities": "", "sys/hypervisor/version/major": "4\n", "sys/hypervisor/version/minor": "14\n", "sys/hypervisor/version/extra": ".2\n"}, "xen", "Xen PV DomU"},
		{"lxc", map[string]string{"proc/1/environ": "container=lxc\x00TERM=linux"}, "container", "LXC"},
		{"nspawn", map[string]string{"run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn", ""},
		{"docker", map[string]string{".dockerenv": "", "proc/1/cgroup": "12:pids:/docker/abc\n"}, "container", "Docker"},
		{"pod", map[string]string{"proc/1/cgroup": "12:pids:/kubepods/abc\n"}, "virtual", "kubernetes"},
		{"openvz", map[string]string{"proc/self/status": "Name:\tx\nenvID:\t101\n"}, "openvzve", ""},
		{"virtio only", map[string]string{"sys/bus/pci/devices/0/vendor": "0x1af4\n"}, "kvm", ""},
		{"bare", map[string]string{dmi + "sys_vendor": "Supermicro"}, "physical", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := detect(t, c.files)
			assert.Equal(t, c.kind, got.Value("virtual"))
			assert.Equal(t, c.subtype, got.String("virtual_subtype"))
			if c.name == "xen" {
				assert.Equal(t, "4.14.2", got.Value("virtual_hv_version"))
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr
	files := map[string]string{
		"etc/hosts":       "127.0.0.1 localhost\n10.0.0.5 m1.example.com m1 # me\n",
		"etc/resolv.conf": "search example.com lan\nnameserver 10.0.0.1\nnameserver fd00::1\nnameserver 10.0.0.1\noptions edns0\nsortlist 130.155.160.0/255.255.240.0 130.155.0.0\n; x\n",
	}
	got := detect(t, files, func(o *Options) {
		o.Machine.Interfaces = []ifaces.Iface{
			{Name: "lo", HWAddr: "00:00:00:00:00:00", Addrs: []ifaces.Addr{{IP: addr("127.0.0.1"), Bits: 8}, {IP: addr("::1"), Bits: 128}}},
			{Name: "eth0", HWAddr: "02:00:00:00:00:01", Addrs: []ifaces.Addr{{IP: addr("10.0.0.5"), Bits: 24}, {IP: addr("9.0.0.6"), Bits: 24, Secondary: true}}},
			{Name: "tun0"},
		}
		o.Machine.Routes[0] = []ifaces.Route{{Dest: netip.MustParsePrefix("10.0.0.0/24")}, {Dest: netip.MustParsePrefix("0.0.0.0/0"), Gateway: addr("10.0.0.1")}}
		o.Machine.Routes[1] = []ifaces.Route{{Dest: netip.MustParsePrefix("::/0"), Iface: "tun0"}}
	})
	want := ordered.Pairs(
		"fqdn", "m1.example.com", "host", "m1", "domain", "example.com", "fqdn_ip4", []any{"10.0.0.5"}, "fqdn_ip6", []any{},
		"ipv4", []any{"9.0.0.6", "10.0.0.5", "127.0.0.1"}, "ipv6", []any{"::1"}, "fqdns", []any{},
		"ip_interfaces", ordered.Pairs("lo", []any{"127.0.0.1", "::1"}, "eth0", []any{"10.0.0.5", "9.0.0.6"}, "tun0", []any{}),
		"ip6_interfaces", ordered.Pairs("lo", []any{"::1"}, "eth0", []any{}, "tun0", []any{}),
		"hwaddr_interfaces", ordered.Pairs("lo", "00:00:00:00:00:00", "eth0", "02:00:00:00:00:01"),
		"ip_gw", true, "ip4_gw", "10.0.0.1", "ip6_gw", true,
		"dns", ordered.Pairs("nameservers", []any{"10.0.0.1", "fd00::1"}, "ip4_nameservers", []any{"10.0.0.1"}, "ip6_nameservers", []any{"fd00::1"},
			"sortlist", []any{"130.155.160.0/255.255.240.0", "130.155.0.0/255.255.0.0"}, "domain", "", "search", []any{"example.com", "lan"}, "options", []any{"edns0"}),
	)
	for k, v := range want.All() {
		assert.Truef(t, ordered.Equal(v, got.Value(k)), "%s: want %v, got %v", k, v, got.Value(k))
	}
}

func TestOwnNameWithoutDNS(t *testing.T) {
	t.Parallel()
	got := detect(t, map[string]string{"etc/nsswitch.conf": "hosts: files myhostname dns\n"}, func(o *Options) {
		o.Machine.Interfaces = []ifaces.Iface{{Name: "eth0", Addrs: []ifaces.Addr{{IP: netip.MustParseAddr("10.0.0.5"), Bits: 24, Scope: "global"}}}}
	})
	assert.Equal(t, "m1", got.Value("fqdn"))
	assert.Equal(t, []any{"10.0.0.5"}, got.Value("fqdn_ip4"))
}

// A DNS that never answers costs one bound, not one for each question.
func TestDeadDNSIsBounded(t *testing.T) {
	t.Parallel()
	start := time.Now()
	got := detect(t, map[string]string{"etc/resolv.conf": "nameserver 10.0.0.1\n"}, func(o *Options) {
		o.Resolve = 50 * time.Millisecond
		o.Machine.Interfaces = []ifaces.Iface{{Name: "eth0", Addrs: []ifaces.Addr{{IP: netip.MustParseAddr("10.0.0.5"), Bits: 24}}}}
		o.Machine.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
	})
	assert.Equal(t, "m1", got.Value("fqdn"))
	assert.Less(t, time.Since(start), time.Second)
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]any{
		"": {"en_US", "UTF-8"}, "C.UTF-8": {"en_US", "UTF-8"}, "en_US.utf8": {"en_US", "UTF-8"}, "de_DE": {"de_DE", "ISO8859-1"},
		"de_DE@euro": {"de_DE", "ISO8859-15"}, "ru_RU.KOI8-R": {"ru_RU", "KOI8-R"}, "en_GB.UTF-8@x": {"en_GB", "UTF-8"},
	} {
		m := machine()
		m.Env = func(k string) string { return map[string]string{"LANG": name}[k] }
		lang, enc := (&detector{m: m}).language()
		assert.Equal(t, want, []any{lang, enc}, name)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	with := func(kv ...any) *ordered.Map {
		return detect(t, nil, func(o *Options) { o.Config = ordered.Pairs(kv...) })
	}
	assert.Equal(t, int64(17629343), with("server_id_use_crc", "adler32").Value("server_id"))
	assert.False(t, with("grains_blacklist", []any{"cpu*"}).Has("cpu_model"))
	assert.Equal(t, "lan", with("append_domain", "lan").Value("append_domain"))
}

func TestMerge(t *testing.T) {
	t.Parallel()
	detected := ordered.Pairs("os", "Debian", "a", ordered.Pairs("x", 1, "y", 2), "b", 1)
	file := ordered.Pairs("a", ordered.Pairs("x", 3), "b", 2, "roles", []any{"web"})
	configured := ordered.Pairs("b", 3)
	got := Merge(detected, file, configured, false)
	assert.True(t, ordered.Equal(ordered.Pairs("os", "Debian", "a", ordered.Pairs("x", 3), "b", 3, "roles", []any{"web"}), got))
	got = Merge(detected, file, configured, true)
	assert.True(t, ordered.Equal(ordered.Pairs("os", "Debian", "a", ordered.Pairs("x", 3, "y", 2), "b", 3, "roles", []any{"web"}), got))
	assert.True(t, ordered.Equal(ordered.Pairs("x", 1, "y", 2), detected.Map("a")), "the source stays")
	assert.True(t, ordered.Equal(detected, Merge(detected, nil, nil, true)))
}

// What this machine says has Salt's types, and takes no time to speak of.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	got := Detect(context.Background(), Options{ID: "m1", SaltVersion: "3006.0", Resolve: 50 * time.Millisecond})
	assert.Equal(t, "Linux", got.Value("kernel"))
	assert.NotZero(t, got.Value("mem_total"))
	assert.NotZero(t, got.Value("num_cpus"))
	assert.NotEmpty(t, got.String("osarch"))
	assert.Contains(t, got.List("ipv4"), "127.0.0.1")
	assert.Equal(t, got, ordered.Of(got), "only job data")
}

func BenchmarkDetect(b *testing.B) {
	for b.Loop() {
		Detect(context.Background(), Options{ID: "m1", SaltVersion: "3006.0"})
	}
}
