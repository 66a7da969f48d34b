package minion

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brine/internal/config"
	"brine/internal/ordered"
	"brine/minion/events"
	"brine/proto"
)

// Options are the minion's configuration: DIR/minion and DIR/minion.d/*.conf, under Salt's names where the thing is the
// same.
type Options struct {
	ID           string        `opt:"id" def:"''" doc:"The minion's id. Empty is the host name."`
	Master       string        `opt:"master" def:"salt" doc:"Where the master's broker is: HOST, HOST:PORT or a URL such as mqtts://HOST."`
	MasterFinger string        `opt:"master_finger" def:"''" doc:"The fingerprint that the master's key must have. Without it the first master that answers is trusted, and pinned."`
	JoinToken    string        `opt:"join_token" def:"''" doc:"A single-use token (brine key --token) that accepts this minion's key at its first connection."`
	BrokerUser   string        `opt:"broker_user" def:"''" doc:"User name for an outside broker. The embedded one needs none."`
	BrokerPass   string        `opt:"broker_password" def:"''" doc:"Password for an outside broker."`
	BrokerCA     string        `opt:"broker_ca" def:"''" doc:"PEM file of the authority that signs the broker's certificate; empty is the system's."`
	TopicPrefix  string        `opt:"topic_prefix" def:"brine" doc:"First level of every topic; the master's must be the same."`
	QoS          int           `opt:"qos" def:"0" doc:"MQTT quality of service, 0 or 1. Delivery is assured end to end either way."`
	Keepalive    time.Duration `opt:"mqtt_keepalive" def:"30" doc:"Seconds between pings to the broker."`
	RetryMin     time.Duration `opt:"acceptance_wait_time" def:"10" doc:"Seconds between questions whether the key is accepted by now."`
	ReconnectMax time.Duration `opt:"recon_max" def:"60" doc:"Most seconds between attempts to reach the broker; they are spread at random below it."`

	RootDir  string `opt:"root_dir" def:"/" doc:"Folder that the other paths are below."`
	PKIDir   string `opt:"pki_dir" def:"/var/lib/brine/pki/minion" doc:"Where the minion's key and the pinned master's lie."`
	CacheDir string `opt:"cachedir" def:"/var/lib/brine/cache/minion" doc:"Cached files, the job journal, synced modules."`
	SockDir  string `opt:"sock_dir" def:"/run/brine/minion" doc:"Where the socket of brine call is."`
	LogFile  string `opt:"log_file" def:"''" doc:"File for the log; empty is standard error only."`
	LogLevel string `opt:"log_level" def:"warning" doc:"debug, info, warning or error."`

	FileClient  string              `opt:"file_client" def:"remote" doc:"local: files and pillar come from this machine, without a master."`
	FileRoots   map[string][]string `opt:"file_roots" def:"{base: [/srv/salt]}" doc:"Folders of each environment, for file_client local."`
	PillarRoots map[string][]string `opt:"pillar_roots" def:"{base: [/srv/pillar]}" doc:"Folders of each pillar environment, for file_client local."`
	FileIgnore  []string            `opt:"file_ignore_glob" def:"[]" doc:"Files of the roots that are not served."`
	Nodegroups  *ordered.Map        `opt:"nodegroups" def:"{}" doc:"Named compound targets."`
	Grains      *ordered.Map        `opt:"grains" def:"{}" doc:"Grains that win over the detected ones."`
	Saltenv     string              `opt:"saltenv" def:"''" doc:"The environment of states and files; empty is base."`
	Pillarenv   string              `opt:"pillarenv" def:"''" doc:"The pillar environment; empty merges all."`
	Test        bool                `opt:"test" def:"false" doc:"Every state run is a dry run."`
	StateOutput string              `opt:"state_output" def:"full" doc:"How state results are printed."`
	StateVerb   bool                `opt:"state_verbose" def:"true" doc:"Print states that were fine without changes."`
	BackupMode  string              `opt:"backup_mode" def:"''" doc:"minion keeps a copy of each file before it is changed."`
	HashType    string              `opt:"hash_type" def:"sha256" doc:"Hash of files and keys."`
	Renderer    string              `opt:"renderer" def:"jinja|yaml" doc:"The render pipeline of SLS files without a #! line."`

	MaxJobs       int           `opt:"process_count_max" def:"50" doc:"Jobs that run at a time; more wait."`
	JobTimeout    time.Duration `opt:"job_timeout" def:"0" doc:"Most seconds that a job may run; 0 is no limit."`
	CmdSafe       bool          `opt:"cmd_safe" def:"true" doc:"Salt's option of the same name, read by modules."`
	Returners     []string      `opt:"return" def:"[]" doc:"Returners that every job's result also goes to."`
	StartGrains   []string      `opt:"start_event_grains" def:"[]" doc:"Grains to send with the start event."`
	Reactor       *ordered.Map  `opt:"reactor" def:"{}" doc:"The reactor of this device: {hooks: [...], workers: [...], reactors: [...]}."`
	EventReactor  *ordered.Map  `opt:"event_reactor" def:"{}" doc:"More of the same, as option reactor."`
	Engines       any           `opt:"engines" def:"[]" doc:"Salt's list of engines; event_reactor and reactor in it are as the options of those names."`
	Schedule      *ordered.Map  `opt:"schedule" def:"{}" doc:"Jobs that the minion runs by itself: {name: {function: ..., seconds: ...}}."`
	Beacons       *ordered.Map  `opt:"beacons" def:"{}" doc:"What the minion watches: {name: [settings]}."`
	EventsMax     int           `opt:"event_queue_max" def:"100000" doc:"Events that may wait for the master."`
	EventsBytes   int           `opt:"event_queue_bytes" def:"67108864" doc:"Bytes that they may take."`
	EventsFull    string        `opt:"event_queue_policy" def:"oldest" doc:"What a full queue does: oldest drops the oldest event, those of beacons first; newest refuses the new one."`
	ReleaseKey    string        `opt:"release_key" def:"''" doc:"The public key that releases must be signed with, as PEM. Without it the first one seen is trusted, and pinned."`
	UpdateLimit   int           `opt:"update_release_attempts_limit" def:"5" doc:"How many attempts at one release may fail."`
	StartupStates string        `opt:"startup_states" def:"''" doc:"States to run at the first connection of a start: highstate, or sls for those of sls_list."`
	SLSList       []string      `opt:"sls_list" def:"[]" doc:"SLS files for startup_states: sls."`
	PowerBackend  string        `opt:"power_backend" def:"rtcwake" doc:"How the device is switched off: rtcwake, hook (the program of power_hook), or simulator."`
	PowerHook     string        `opt:"power_hook" def:"''" doc:"Program for power_backend hook: it is called with sleep SECONDS, hibernate or reboot."`
	PowerDeadline time.Duration `opt:"power_deadline" def:"1800" doc:"Seconds after which work under way is cut off when the device is to sleep."`
	ServiceBy     string        `opt:"service_provider" def:"''" doc:"How services are looked after: systemd, sysv or plain; empty takes the first that fits."`
	ServiceDir    string        `opt:"service_dir" def:"''" doc:"Folder of the service files of the plain provider; empty is services beside the configuration file."`
	MetricsAddr   string        `opt:"metrics_listen" def:"''" doc:"HOST:PORT for Prometheus metrics; empty serves none."`
	MineInterval  time.Duration `opt:"mine_interval" def:"3600" doc:"Seconds between updates of the mine."`
	MineFuncs     any           `opt:"mine_functions" def:"{}" doc:"Functions whose results go to the mine."`

	// ConfDir is the configuration folder.
	ConfDir string
	// All is everything that modules see as the configuration: the options above and what else the files set.
	All *ordered.Map
}

// ignored are options of Salt that have no effect here; naming them is no mistake.
var ignored = []string{
	"multiprocessing", "transport", "ipc_mode", "publish_port", "ret_port", "master_port", "user", "auth_timeout", "auth_tries", "random_reauth_delay", "retry_dns",
	"minion_id_caching", "tcp_keepalive", "tcp_keepalive_idle", "tcp_keepalive_cnt", "tcp_keepalive_intvl", "zmq_monitor", "verify_master_pubkey_sign", "sign_pub_messages",
	"grains_cache", "disable_modules", "disable_returners", "module_dirs", "providers", "log_level_logfile", "log_fmt_console", "log_fmt_logfile", "log_datefmt",
	"master_type", "master_alive_interval", "random_master", "recon_default", "recon_randomize", "keysize", "environment", "default_top", "top_file_merging_strategy",
	"state_top", "state_auto_order", "failhard", "autoload_dynamic_modules", "clean_dynamic_modules", "fileserver_backend", "fileserver_followsymlinks", "file_recv_max_size",
	"sls", "top_file", "state_events", "state_output_profile", "state_output_diff", "state_aggregate", "return_config",
}

// Load reads the configuration of the folder dir.
func Load(dir string) (*Options, *config.Loaded, error) {
	o := &Options{ConfDir: dir}
	config.SetDefaults(o)
	loaded, err := config.Schema{Ignored: ignored}.Load(filepath.Join(dir, "minion"), o)
	if err != nil {
		return nil, loaded, err
	}
	if err := o.finish(loaded.Set); err != nil {
		return nil, loaded, fmt.Errorf("%s: %w", filepath.Join(dir, "minion"), err)
	}
	return o, loaded, nil
}

// finish derives what follows from other options and checks what a type alone cannot.
func (o *Options) finish(set *ordered.Map) error {
	if o.ID == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("no id is configured and the host name cannot be read: %w", err)
		}
		o.ID = name
	}
	if err := proto.CheckID(o.ID); err != nil {
		return err
	}
	if err := proto.CheckPrefix(o.TopicPrefix); err != nil {
		return err
	}
	if o.QoS < 0 || o.QoS > 1 {
		return fmt.Errorf("option qos: %d is not 0 or 1", o.QoS)
	}
	if p := events.Policy(o.EventsFull); p != events.Oldest && p != events.Newest {
		return fmt.Errorf("option event_queue_policy: %q is neither oldest nor newest", o.EventsFull)
	}
	if o.EventsMax < 1 || o.EventsBytes < 1 {
		return errors.New("options event_queue_max and event_queue_bytes: want at least 1")
	}
	if o.FileClient != "remote" && o.FileClient != "local" {
		return fmt.Errorf("option file_client: %q is neither remote nor local", o.FileClient)
	}
	for _, p := range []*string{&o.PKIDir, &o.CacheDir, &o.SockDir, &o.LogFile} {
		*p = config.Below(o.RootDir, *p)
	}
	o.All = config.Values(o)
	for k, v := range set.All() {
		if !o.All.Has(k) {
			o.All.Set(k, v)
		}
	}
	for _, secret := range []string{"broker_password", "join_token"} {
		if o.All.String(secret) != "" {
			o.All.Set(secret, "***")
		}
	}
	o.All.Set("conf_file", filepath.Join(o.ConfDir, "minion"))
	o.All.Set("config_dir", o.ConfDir)
	o.All.Set("__role", "minion")
	o.All.Set("__cli", "salt-minion")
	return nil
}

// BrokerURL is the address of the master's broker.
func (o *Options) BrokerURL() string {
	if strings.Contains(o.Master, "://") {
		return o.Master
	}
	return "mqtt://" + o.Master
}

// SocketPath is where the minion's local socket is.
func (o *Options) SocketPath() string { return filepath.Join(o.SockDir, "minion.sock") }
