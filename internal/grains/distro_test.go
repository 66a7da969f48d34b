package grains

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
)

// tree makes a root folder of files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		mode := os.FileMode(0o644)
		if strings.Contains(name, "bin/") {
			mode = 0o755
		}
		require.NoError(t, os.WriteFile(p, []byte(text), mode))
	}
	return dir
}

func machine() *Machine {
	return &Machine{
		Kernel: "Linux", Node: "m1", Release: "6.1.0-13-amd64", Version: "#1 SMP", Arch: "x86_64",
		Env: func(k string) string { return map[string]string{"PATH": "/usr/bin:/bin"}[k] }, Exe: "/usr/bin/brine", Timezone: "UTC", Dir: "/",
	}
}

func detect(t *testing.T, files map[string]string, change ...func(*Options)) *ordered.Map {
	t.Helper()
	o := Options{ID: "m1", Master: "salt", SaltVersion: "3006.0", Version: "1.0", Root: tree(t, files), Machine: machine()}
	for _, c := range change {
		c(&o)
	}
	return Detect(context.Background(), o)
}

// distros are release files as the distributions ship them, and what Salt makes of them.
var distros = []struct {
	name, release string
	more          map[string]string // other files
	want          []any
}{
	{
		"debian 12", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n", nil,
		[]any{"os", "Debian", "os_family", "Debian", "osfullname", "Debian GNU/Linux", "osrelease", "12", "oscodename", "bookworm", "osfinger", "Debian-12", "osmajorrelease", 12, "osarch", "amd64"},
	},
	{
		"debian sid", "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nNAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=trixie\nID=debian\n", map[string]string{"etc/debian_version": "trixie/sid\n"},
		[]any{"os", "Debian", "osrelease", "trixie/sid", "oscodename", "trixie", "osfinger", "Debian-trixie/sid", "osmajorrelease", nil},
	},
	{
		"ubuntu 22.04", "PRETTY_NAME=\"Ubuntu 22.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=jammy\n",
		map[string]string{"etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.3 LTS\"\n"},
		[]any{"os", "Ubuntu", "os_family", "Debian", "osfullname", "Ubuntu", "osrelease", "22.04", "oscodename", "jammy", "osfinger", "Ubuntu-22.04", "osmajorrelease", 22, "osrelease_info", []any{int64(22), int64(4)}, "lsb_distrib_description", "Ubuntu 22.04.3 LTS", "lsb_distrib_id", "Ubuntu"},
	},
	{
		"raspbian 11", "PRETTY_NAME=\"Raspbian GNU/Linux 11 (bullseye)\"\nNAME=\"Raspbian GNU/Linux\"\nVERSION_ID=\"11\"\nVERSION=\"11 (bullseye)\"\nVERSION_CODENAME=bullseye\nID=raspbian\nID_LIKE=debian\n", nil,
		[]any{"os", "Raspbian", "os_family", "Debian", "osfullname", "Raspbian GNU/Linux", "osrelease", "11", "oscodename", "bullseye", "osfinger", "Raspbian-11"},
	},
	{
		"alpine 3.18", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME=\"Alpine Linux v3.18\"\n", nil,
		[]any{"os", "Alpine", "os_family", "Alpine", "osfullname", "Alpine Linux", "osrelease", "3.18.4", "oscodename", "Alpine Linux v3.18", "osfinger", "Alpine Linux-3", "osarch", "x86_64"},
	},
	{
		"fedora 39", "NAME=\"Fedora Linux\"\nVERSION=\"39 (Server Edition)\"\nID=fedora\nVERSION_ID=39\nVERSION_CODENAME=\"\"\nPRETTY_NAME=\"Fedora Linux 39 (Server Edition)\"\nCPE_NAME=\"cpe:/o:fedoraproject:fedora:39\"\n", nil,
		[]any{"os", "Fedora", "os_family", "RedHat", "osfullname", "Fedora Linux", "osrelease", "39", "oscodename", "", "osfinger", "Fedora Linux-39"},
	},
	{
		"centos 7", "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\nCPE_NAME=\"cpe:/o:centos:centos:7\"\n",
		map[string]string{"etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n"},
		[]any{"os", "CentOS", "os_family", "RedHat", "osfullname", "CentOS Linux", "osrelease", "7.9.2009", "oscodename", "CentOS Linux 7 (Core)", "osfinger", "CentOS Linux-7", "osmajorrelease", 7, "lsb_distrib_release", nil},
	},
	{
		"centos stream 9", "NAME=\"CentOS Stream\"\nVERSION=\"9\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"9\"\nPRETTY_NAME=\"CentOS Stream 9\"\nCPE_NAME=\"cpe:/o:centos:centos:9\"\n", nil,
		[]any{"os", "CentOS Stream", "os_family", "RedHat", "osfullname", "CentOS Stream", "osrelease", "9", "oscodename", "CentOS Stream 9", "osfinger", "CentOS Stream-9"},
	},
	{
		"rocky 9", "NAME=\"Rocky Linux\"\nVERSION=\"9.2 (Blue Onyx)\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.2\"\nPRETTY_NAME=\"Rocky Linux 9.2 (Blue Onyx)\"\nCPE_NAME=\"cpe:/o:rocky:rocky:9::baseos\"\n", nil,
		[]any{"os", "Rocky", "os_family", "RedHat", "osfullname", "Rocky Linux", "osrelease", "9.2", "oscodename", "Blue Onyx", "osfinger", "Rocky Linux-9"},
	},
	{
		"alma 9", "NAME=\"AlmaLinux\"\nVERSION=\"9.3 (Shamrock Pampas Cat)\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"\nPRETTY_NAME=\"AlmaLinux 9.3 (Shamrock Pampas Cat)\"\n", nil,
		[]any{"os", "AlmaLinux", "os_family", "RedHat", "osfullname", "AlmaLinux", "oscodename", "Shamrock Pampas Cat", "osfinger", "AlmaLinux-9"},
	},
	{
		"rhel 8", "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"8.8 (Ootpa)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.8\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 8.8 (Ootpa)\"\n",
		map[string]string{"etc/redhat-release": "Red Hat Enterprise Linux release 8.8 (Ootpa)\n"},
		[]any{"os", "RedHat", "os_family", "RedHat", "osfullname", "Red Hat Enterprise Linux", "osrelease", "8.8", "oscodename", "Ootpa", "osfinger", "Red Hat Enterprise Linux-8"},
	},
	{
		"oracle 8", "NAME=\"Oracle Linux Server\"\nVERSION=\"8.8\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.8\"\nPRETTY_NAME=\"Oracle Linux Server 8.8\"\n", nil,
		[]any{"os", "OEL", "os_family", "RedHat", "osfullname", "Oracle Linux Server", "osfinger", "Oracle Linux Server-8"},
	},
	{
		"amazon 2", "NAME=\"Amazon Linux\"\nVERSION=\"2\"\nID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"\nVERSION_ID=\"2\"\nPRETTY_NAME=\"Amazon Linux 2\"\nCPE_NAME=\"cpe:2.3:o:amazon:amazon_linux:2\"\n", nil,
		[]any{"os", "Amazon", "os_family", "RedHat", "osfullname", "Amazon Linux", "osrelease", "2", "oscodename", "Amazon Linux 2", "osfinger", "Amazon Linux-2"},
	},
	{
		"leap 15.5", "NAME=\"openSUSE Leap\"\nVERSION=\"15.5\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.5\"\nPRETTY_NAME=\"openSUSE Leap 15.5\"\nCPE_NAME=\"cpe:/o:opensuse:leap:15.5\"\n", nil,
		[]any{"os", "SUSE", "os_family", "Suse", "osfullname", "Leap", "osrelease", "15.5", "oscodename", "openSUSE Leap 15.5", "osfinger", "Leap-15"},
	},
	{
		"tumbleweed", "NAME=\"openSUSE Tumbleweed\"\nID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\nVERSION_ID=\"20231010\"\nPRETTY_NAME=\"openSUSE Tumbleweed\"\nCPE_NAME=\"cpe:/o:opensuse:tumbleweed:20231010\"\n", nil,
		[]any{"os", "SUSE", "osfullname", "openSUSE Tumbleweed", "osrelease", "20231010", "osmajorrelease", 20231010},
	},
	{
		"sles 15", "NAME=\"SLES\"\nVERSION=\"15-SP4\"\nVERSION_ID=\"15.4\"\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15 SP4\"\nID=\"sles\"\nID_LIKE=\"suse\"\nCPE_NAME=\"cpe:/o:suse:sles:15:sp4\"\n", nil,
		[]any{"os", "SUSE", "os_family", "Suse", "osfullname", "SLES", "osrelease", "15.4", "osfinger", "SLES-15"},
	},
	{
		"arch", "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n", nil,
		[]any{"os", "Arch", "os_family", "Arch", "osfullname", "Arch Linux", "osrelease", "", "oscodename", "Arch Linux", "osfinger", nil},
	},
	{
		"poky", "ID=poky\nNAME=\"Poky (Yocto Project Reference Distro)\"\nVERSION=\"4.0.1 (kirkstone)\"\nVERSION_ID=4.0.1\nVERSION_CODENAME=\"kirkstone\"\nPRETTY_NAME=\"Poky (Yocto Project Reference Distro) 4.0.1 (kirkstone)\"\n",
		map[string]string{"etc/lsb-release": "DISTRIB_ID=poky\nDISTRIB_RELEASE=4.0.1\nDISTRIB_CODENAME=kirkstone\n"},
		[]any{"osfullname", "Poky (Yocto Project Reference Distro)", "osrelease", "4.0.1", "oscodename", "kirkstone", "lsb_distrib_id", "poky"},
	},
	{
		"poky without os-release", "",
		map[string]string{"etc/lsb-release": "DISTRIB_ID=poky\nDISTRIB_RELEASE=2.0\n", "etc/opkg/arch.conf": "arch all 1\narch any 6\narch cortexa7hf 16\n"},
		[]any{"os", "Poky", "os_family", "Poky", "osfullname", "poky", "osrelease", "2.0", "osarch", []any{"cortexa7hf", "any", "all"}},
	},
	{
		"mint 21", "NAME=\"Linux Mint\"\nVERSION=\"21.2 (Victoria)\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nPRETTY_NAME=\"Linux Mint 21.2\"\nVERSION_ID=\"21.2\"\nVERSION_CODENAME=victoria\nUBUNTU_CODENAME=jammy\n",
		map[string]string{"etc/lsb-release": "DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=21.2\nDISTRIB_CODENAME=victoria\nDISTRIB_DESCRIPTION=\"Linux Mint 21.2 Victoria\"\n"},
		[]any{"os", "Mint", "os_family", "Debian", "osfullname", "Linux Mint", "osrelease", "21.2", "oscodename", "victoria", "osfinger", "Linux Mint-21"},
	},
	{
		"pop", "NAME=\"Pop!_OS\"\nVERSION=\"22.04 LTS\"\nID=pop\nID_LIKE=\"ubuntu debian\"\nPRETTY_NAME=\"Pop!_OS 22.04 LTS\"\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n", nil,
		[]any{"os", "Pop", "os_family", "Debian", "osfinger", "Pop!_OS-22.04"},
	},
	{
		"old suse", "", map[string]string{"etc/SuSE-release": "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 3\n"},
		[]any{"os", "SUSE", "osrelease", "11.3", "oscodename", "SUSE Linux Enterprise Server 11 SP3"},
	},
	{
		"nothing", "", nil, []any{"os", "", "osfullname", "", "osrelease", "", "osfinger", nil},
	},
}

func TestDistributions(t *testing.T) {
	t.Parallel()
	for _, c := range distros {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"bin/true": ""}
			for k, v := range c.more {
				files[k] = v
			}
			if c.release != "" {
				files["etc/os-release"] = c.release
			}
			got := detect(t, files)
			for i := 0; i < len(c.want); i += 2 {
				assert.Truef(t, ordered.Equal(c.want[i+1], got.Value(c.want[i])), "%s: want %v, got %v", c.want[i], c.want[i+1], got.Value(c.want[i]))
			}
		})
	}
}

func TestParsing(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a\"b$c\\d", parseOSRelease(`NAME="a\"b\$c\\d"`)["NAME"])
	assert.Equal(t, "Linux", parseOSRelease("# NAME=x\n name=y")["NAME"])
	assert.Equal(t, named{"CentOS Linux", "7.9.2009", "Core"}, parseRelease("CentOS Linux release 7.9.2009 (Core)\n"))
	assert.Equal(t, named{name: "Arch Linux"}, parseRelease("Arch Linux"))
	vendor, version, ok := cpe("cpe:2.3:o:opensuse:leap:15.5:*:*")
	assert.Equal(t, []any{"opensuse", "15.5", true}, []any{vendor, version, ok})
	_, _, ok = cpe("nonsense")
	assert.False(t, ok)
}
