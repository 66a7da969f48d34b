// Package builtin is the list of the state families that the program is built with.
package builtin

import (
	"brine/states"
	"brine/states/alternatives"
	"brine/states/archive"
	"brine/states/cmd"
	"brine/states/cron"
	"brine/states/environ"
	"brine/states/event"
	"brine/states/file"
	"brine/states/git"
	"brine/states/grains"
	"brine/states/group"
	"brine/states/host"
	"brine/states/http"
	"brine/states/ini"
	"brine/states/module"
	"brine/states/pkg"
	"brine/states/pkgrepo"
	"brine/states/schedule"
	"brine/states/service"
	"brine/states/ssh_auth"
	"brine/states/ssh_known_hosts"
	"brine/states/sysctl"
	"brine/states/test"
	"brine/states/timezone"
	"brine/states/user"
)

// States lists every family, by name.
func States() []states.State {
	return []states.State{
		alternatives.State(),
		archive.State(),
		cmd.State(),
		cron.State(),
		environ.State(),
		event.State(),
		file.State(),
		git.State(),
		grains.State(),
		group.State(),
		host.State(),
		http.State(),
		ini.State(),
		module.State(),
		pkg.State(),
		pkgrepo.State(),
		schedule.State(),
		service.State(),
		ssh_auth.State(),
		ssh_known_hosts.State(),
		sysctl.State(),
		test.State(),
		timezone.State(),
		user.State(),
	}
}
