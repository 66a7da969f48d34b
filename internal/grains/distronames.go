package grains

// shortNames gives the os grain of a distribution by the first ten letters of its full name, lower case and without
// spaces. What is not here keeps its name.
var shortNames = map[string]string{
	"alibabaclo": "Alinux", "almalinux": "AlmaLinux", "alt": "ALT", "amazonami": "Amazon", "antergos": "Antergos",
	"arch": "Arch", "archarm": "Arch ARM", "chapeau": "Chapeau", "cloudlinux": "CloudLinux", "cloudserve": "CloudLinux",
	"debian": "Debian", "enterprise": "OEL", "fedoraremi": "Fedora", "gentoobase": "Gentoo", "korora": "Korora",
	"linuxmint": "Mint", "manjaro": "Manjaro", "manjarolin": "Manjaro", "mendel": "Mendel", "neon": "KDE neon",
	"nilrt": "NILinuxRT", "oracleserv": "OEL", "pidora": "Fedora", "poky": "Poky", "pop": "Pop", "raspbian": "Raspbian",
	"redhatente": "RedHat", "rocky": "Rocky", "scientific": "ScientificLinux", "sles": "SUSE", "slesexpand": "RES",
	"synology": "Synology", "univention": "Univention", "void": "Void",
}

// families gives the os_family grain by the os grain. What is not here is a family of its own.
var families = map[string]string{
	"ALT": "RedHat", "Alinux": "RedHat", "AlmaLinux": "RedHat", "Amazon": "RedHat", "CentOS": "RedHat",
	"CentOS Stream": "RedHat", "Chapeau": "RedHat", "CloudLinux": "RedHat", "FedBerry": "RedHat", "Fedora": "RedHat",
	"GoOSe": "RedHat", "Korora": "RedHat", "OEL": "RedHat", "OVS": "RedHat", "RES": "RedHat", "Rocky": "RedHat",
	"Sangoma": "RedHat", "Scientific": "RedHat", "ScientificLinux": "RedHat", "VMware Photon OS": "RedHat",
	"XCP": "RedHat", "XCP-ng": "RedHat", "XenServer": "RedHat",

	"AstraLinuxCE": "Debian", "AstraLinuxSE": "Debian", "Cumulus": "Debian", "Deepin": "Debian", "Devuan": "Debian",
	"GCEL": "Debian", "IDMS": "Debian", "KDE neon": "Debian", "Kali": "Debian", "Linaro": "Debian", "Mendel": "Debian",
	"Mint": "Debian", "OSMC": "Debian", "Parrot OS": "Debian", "Pop": "Debian", "Raspbian": "Debian", "Trisquel": "Debian",
	"TurnKey": "Debian", "Ubuntu": "Debian", "Univention": "Debian", "antiX": "Debian", "elementary": "Debian",
	"elementary OS": "Debian", "neon": "Debian",

	"SLED": "Suse", "SLES": "Suse", "SLES_SAP": "Suse", "SUSE": "Suse", "SUSE  Enterprise Server": "Suse",
	"SUSE Enterprise Server": "Suse", "openSUSE": "Suse", "openSUSE Leap": "Suse", "openSUSE Tumbleweed": "Suse",

	"Antergos": "Arch", "Arch ARM": "Arch", "EndeavourOS": "Arch", "Manjaro": "Arch", "Manjaro ARM": "Arch",

	"Bluewhite64": "Bluewhite", "Funtoo": "Gentoo", "Mandrake": "Mandriva", "Slamd64": "Slackware", "VMwareESX": "VMware",
}
