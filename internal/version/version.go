// Package version says which program this is.
package version

// Version is the program's own version, set at link time with -X.
var Version = "dev"

// Salt is the version of Salt whose behaviour this program has.
const Salt = "3006.0"

// Codename is the name of that Salt release.
const Codename = "Sulfur"
