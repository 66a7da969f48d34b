// Package builtin is the list of the execution modules that the program is built with.
package builtin

import (
	"brine/modules"
	"brine/modules/alternatives"
	"brine/modules/archive"
	"brine/modules/beacons"
	"brine/modules/cmd"
	"brine/modules/config"
	"brine/modules/cp"
	"brine/modules/cron"
	"brine/modules/data"
	"brine/modules/defaults"
	"brine/modules/disk"
	"brine/modules/environ"
	"brine/modules/event"
	"brine/modules/file"
	"brine/modules/git"
	"brine/modules/grains"
	"brine/modules/group"
	"brine/modules/hashutil"
	"brine/modules/hosts"
	"brine/modules/http"
	"brine/modules/ini"
	"brine/modules/lowpkg"
	"brine/modules/match"
	"brine/modules/mine"
	"brine/modules/minionutil"
	"brine/modules/network"
	"brine/modules/pillar"
	"brine/modules/pkg"
	"brine/modules/power"
	"brine/modules/ps"
	"brine/modules/random"
	"brine/modules/reactor"
	"brine/modules/saltutil"
	"brine/modules/schedule"
	"brine/modules/service"
	"brine/modules/shadow"
	"brine/modules/slsutil"
	"brine/modules/ssh"
	"brine/modules/state"
	"brine/modules/status"
	"brine/modules/sys"
	"brine/modules/sysctl"
	"brine/modules/system"
	"brine/modules/test"
	"brine/modules/timezone"
	"brine/modules/user"
)

// Deps are what functions need of the minion beyond their Env. Each may be nil: functions that need it then say so.
type Deps struct {
	// Sys has the registries beside that of the execution functions.
	Sys sys.Deps
	// Push hands files to the master.
	Push cp.Pusher
	// Saltutil has the jobs of the minion.
	Saltutil saltutil.Deps
	// Beacons watch for the minion.
	Beacons beacons.Manager
	// Schedule is the scheduler of the minion.
	Schedule schedule.Deps
	// Reactor is the reactor of the minion.
	Reactor reactor.Engine
	// State has the state functions, and the lock of the device.
	State state.Deps
	// Minionutil has the releases and the restarts of the minion.
	Minionutil minionutil.Deps
	// Power switches the device off.
	Power power.Manager
	// Mine is the master's mine.
	Mine mine.Store
}

// Modules lists every family, by name.
func Modules(d Deps) []modules.Module {
	return []modules.Module{
		alternatives.Module(),
		archive.Module(),
		beacons.Module(d.Beacons),
		cmd.Module(),
		config.Module(),
		cp.Module(d.Push),
		cron.Module(),
		data.Module(),
		defaults.Module(),
		disk.Module(),
		environ.Module(),
		event.Module(),
		file.Module(),
		git.Module(),
		grains.Module(),
		group.Module(),
		hashutil.Module(),
		hosts.Module(),
		ini.Module(),
		http.Module(),
		lowpkg.Module(),
		match.Module(),
		mine.Module(d.Mine),
		minionutil.Module(d.Minionutil),
		network.Module(),
		pillar.Module(),
		pkg.Module(),
		power.Module(d.Power),
		ps.Module(),
		random.Module(),
		reactor.Module(d.Reactor),
		saltutil.Module(d.Saltutil),
		schedule.Module(d.Schedule),
		service.Module(),
		shadow.Module(),
		slsutil.Module(),
		ssh.Module(),
		state.Module(d.State),
		status.Module(),
		sys.Module(d.Sys),
		sysctl.Module(),
		system.Module(),
		test.Module(),
		timezone.Module(),
		user.Module(),
	}
}
