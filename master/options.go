package master

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brine/internal/config"
	"brine/internal/ordered"
	"brine/proto"
)

// Options are the master's configuration: DIR/master and DIR/master.d/*.conf, under Salt's names where the thing is the
// same.
type Options struct {
	ID         string `opt:"id" def:"''" doc:"The master's id. Empty is the host name with _master."`
	Interface  string `opt:"interface" def:"0.0.0.0" doc:"Address that the embedded broker listens on."`
	Broker     string `opt:"broker" def:"embedded" doc:"embedded, or the URL of an outside broker: mqtt://USER:PASSWORD@HOST, mqtts://HOST ..."`
	BrokerPort int    `opt:"broker_port" def:"1883" doc:"TCP port of the embedded broker; 0 for none."`
	BrokerTLS  int    `opt:"broker_tls_port" def:"0" doc:"TLS port of the embedded broker; 0 for none. The certificate is made at the first start unless configured."`
	BrokerWS   int    `opt:"broker_websocket_port" def:"0" doc:"Websocket port of the embedded broker; 0 for none."`
	BrokerCert string `opt:"broker_tls_cert" def:"''" doc:"PEM file with the certificate chain for TLS ports; empty is one of the master's own authority."`
	BrokerKey  string `opt:"broker_tls_key" def:"''" doc:"PEM file with the key of broker_tls_cert."`
	BrokerCA   string `opt:"broker_ca" def:"''" doc:"PEM file of the authority that signs an outside broker's certificate; empty is the system's."`
	MaxClients int    `opt:"broker_max_clients" def:"100000" doc:"Most connections to the embedded broker."`
	MaxPacket  int    `opt:"broker_max_packet" def:"132096" doc:"Most bytes of one MQTT packet."`
	MaxQueued  int    `opt:"broker_max_queued" def:"256" doc:"Most messages that wait for one client of the embedded broker; more are dropped and sent again later."`
	WriteTime  int    `opt:"broker_write_deadline" def:"10" doc:"Seconds after which a client that takes no data is disconnected."`
	Prefix     string `opt:"topic_prefix" def:"brine" doc:"First level of every topic."`
	QoS        int    `opt:"qos" def:"0" doc:"MQTT quality of service on an outside broker, 0 or 1."`

	RootDir  string `opt:"root_dir" def:"/" doc:"Folder that the other paths are below."`
	PKIDir   string `opt:"pki_dir" def:"/var/lib/brine/pki/master" doc:"Where the master's key and its certificate authority lie."`
	StateDir string `opt:"state_dir" def:"/var/lib/brine/master" doc:"Where the store is: jobs, returns, keys, events."`
	CacheDir string `opt:"cachedir" def:"/var/lib/brine/cache/master" doc:"What can be made again."`
	SockDir  string `opt:"sock_dir" def:"/run/brine/master" doc:"Where the socket of the command line is."`
	LogFile  string `opt:"log_file" def:"''" doc:"File for the log; empty is standard error only."`
	LogLevel string `opt:"log_level" def:"warning" doc:"debug, info, warning or error."`

	Timeout    time.Duration `opt:"timeout" def:"5" doc:"Seconds that the command line waits for a silent minion."`
	Gather     time.Duration `opt:"gather_job_timeout" def:"10" doc:"Seconds more for a connected minion that has not acknowledged the job."`
	KeepJobs   time.Duration `opt:"keep_jobs_seconds" def:"86400" doc:"Seconds that jobs and returns are kept; 0 for ever."`
	KeepEvents time.Duration `opt:"keep_events_seconds" def:"2592000" doc:"Seconds that events are kept; 0 for ever."`
	Interval   time.Duration `opt:"loop_interval" def:"60" doc:"Seconds between presence events and clean-ups."`
	Presence   bool          `opt:"presence_events" def:"true" doc:"Fire salt/presence/present and change."`
	AuthEvents bool          `opt:"auth_events" def:"true" doc:"Fire salt/auth."`
	Spread     time.Duration `opt:"hello_spread" def:"2" doc:"Seconds over which the fleet opens new sessions after a restart of the master."`

	AutoAccept  bool          `opt:"auto_accept" def:"false" doc:"Accept every key: for closed laboratories only."`
	OpenMode    bool          `opt:"open_mode" def:"false" doc:"Not supported, as it would trust anybody: true stops the start."`
	Autosign    string        `opt:"autosign_file" def:"''" doc:"File of id patterns, one a line, whose keys are accepted."`
	Autoreject  string        `opt:"autoreject_file" def:"''" doc:"File of id patterns, one a line, whose keys are rejected."`
	MinionKeys  *ordered.Map  `opt:"minion_fingers" def:"{}" doc:"Fingerprints by id of keys that are accepted."`
	Nodegroups  *ordered.Map  `opt:"nodegroups" def:"{}" doc:"Named compound targets."`
	StateOutput string        `opt:"state_output" def:"full" doc:"How state results are printed."`
	StateVerb   bool          `opt:"state_verbose" def:"true" doc:"Print states that were fine without changes."`
	ShowTimeout bool          `opt:"show_timeout" def:"true" doc:"Name the minions that did not answer."`
	ShowJID     bool          `opt:"show_jid" def:"false" doc:"Print the job id first."`
	CLISummary  bool          `opt:"cli_summary" def:"false" doc:"Print a summary after each command."`
	Reactor     any           `opt:"reactor" def:"[]" doc:"Which reaction SLS files are rendered for which events: a list of {tag glob: [files]}."`
	ReactorWork int           `opt:"reactor_worker_threads" def:"10" doc:"Runner, wheel and caller reactions that run at a time."`
	ReactorHWM  int           `opt:"reactor_worker_hwm" def:"10000" doc:"Events of one reactor entry, and reactions, that may wait; more are dropped and counted."`
	APIListen   string        `opt:"api_listen" def:"''" doc:"HOST:PORT of the HTTP interface; empty serves none. Without TLS only a loopback address is allowed."`
	APITLS      bool          `opt:"api_tls" def:"false" doc:"Serve the HTTP interface over TLS, with the certificate of broker_tls_cert or one of the master's own authority."`
	APIStatic   string        `opt:"api_static" def:"''" doc:"Folder of a user interface for the HTTP interface, such as that of SaltGUI: index.html and static/."`
	APISession  time.Duration `opt:"token_expire" def:"43200" doc:"Seconds that a login to the HTTP interface is good for."`
	Metrics     string        `opt:"metrics_listen" def:"''" doc:"HOST:PORT for Prometheus metrics; empty serves none."`

	FileRoots   map[string][]string `opt:"file_roots" def:"{base: [/srv/salt]}" doc:"Folders of each environment."`
	PillarRoots map[string][]string `opt:"pillar_roots" def:"{base: [/srv/pillar]}" doc:"Folders of each pillar environment."`
	FileIgnore  []string            `opt:"file_ignore_glob" def:"[]" doc:"Files of the roots that are not served."`

	// ConfDir is the configuration folder.
	ConfDir string
	// All is everything that the files set, over the options above.
	All *ordered.Map
}

// ignored are options of Salt that have no effect here; naming them is no mistake.
var ignored = []string{
	"publish_port", "ret_port", "user", "worker_threads", "max_open_files", "hash_type", "transport", "ipc_mode", "job_cache", "minion_data_cache", "con_cache", "zmq_backlog",
	"pub_hwm", "sign_pub_messages", "master_sign_pubkey", "keysize", "verify_env", "sudo_acl", "fileserver_backend", "fileserver_followsymlinks", "file_recv", "file_recv_max_size",
	"state_top", "renderer", "failhard", "yaml_utf8", "hash_type", "keep_jobs", "max_minions", "event_return", "log_level_logfile", "log_fmt_console", "log_fmt_logfile",
	"log_datefmt", "enable_gpu_grains", "extension_modules", "order_masters", "syndic_master", "rotate_aes_key", "ping_on_rotate", "preserve_minion_cache", "tcp_keepalive",
	"state_events", "state_auto_order", "state_aggregate", "jinja_env", "jinja_sls_env", "jinja_trim_blocks", "jinja_lstrip_blocks", "top_file_merging_strategy", "env_order",
	"default_top", "pillar_opts", "pillar_safe_render_error", "pillar_source_merging_strategy", "pillar_merge_lists", "cli_summary", "output", "ipv6", "return", "permissive_pki_access",
	"client_acl_verify", "eauth_acl_module", "state_output_diff", "state_output_profile", "ssl", "peer", "peer_run", "mine_functions", "schedule", "beacons",
}

// Load reads the configuration of the folder dir.
func Load(dir string) (*Options, *config.Loaded, error) {
	o := &Options{ConfDir: dir}
	config.SetDefaults(o)
	loaded, err := config.Schema{Ignored: ignored}.Load(filepath.Join(dir, "master"), o)
	if err != nil {
		return nil, loaded, err
	}
	if err := o.finish(loaded.Set); err != nil {
		return nil, loaded, fmt.Errorf("%s: %w", filepath.Join(dir, "master"), err)
	}
	return o, loaded, nil
}

func (o *Options) finish(set *ordered.Map) error {
	if o.ID == "" {
		name, err := os.Hostname()
		if err != nil {
			return err
		}
		o.ID = name + "_master"
	}
	if err := proto.CheckPrefix(o.Prefix); err != nil {
		return err
	}
	if o.OpenMode {
		return fmt.Errorf("option open_mode: it would let any key speak for any id; use auto_accept in a closed laboratory")
	}
	if o.Broker == "embedded" && o.BrokerPort == 0 && o.BrokerTLS == 0 && o.BrokerWS == 0 {
		return fmt.Errorf("the embedded broker has no port: set broker_port, broker_tls_port or broker_websocket_port")
	}
	for _, p := range []*string{&o.PKIDir, &o.StateDir, &o.CacheDir, &o.SockDir, &o.LogFile} {
		*p = config.Below(o.RootDir, *p)
	}
	o.All = config.Values(o)
	for k, v := range set.All() {
		if !o.All.Has(k) {
			o.All.Set(k, v)
		}
	}
	o.All.Set("conf_file", filepath.Join(o.ConfDir, "master"))
	o.All.Set("config_dir", o.ConfDir)
	o.All.Set("__role", "master")
	return nil
}

// SocketPath is where the command line finds the master.
func (o *Options) SocketPath() string { return filepath.Join(o.SockDir, "master.sock") }

// patterns reads a file of patterns, one a line; # begins a comment.
func patterns(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		line, _, _ := strings.Cut(s.Text(), "#")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out, s.Err()
}
