package ps

import (
	"context"
	"time"

	"github.com/ncruces/go-strftime"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"

	"brine/internal/ordered"
	"brine/modules"
)

func doc(name, text string) string { return text + "\n\nCLI Example:\n\n    salt '*' ps." + name }

// machine are the functions about the whole machine.
func machine() []modules.Func {
	return []modules.Func{
		modules.PureFn("boot_time", doc("boot_time", "Tell when the machine started, as seconds since 1970 or in a format of strftime."), bootTime),
		modules.PureFn("cpu_percent", doc("cpu_percent", "Tell how busy the processors are, in percent, over an interval in seconds."), cpuPercent),
		modules.PureFn("cpu_times", doc("cpu_times", "Tell how long the processors have done what, in seconds."), cpuTimes),
		modules.PureFn("disk_partition_usage", doc("disk_partition_usage", "List the disk partitions and how full they are."), partitionUsage),
		modules.PureFn("disk_partitions", doc("disk_partitions", "List the disk partitions."), partitions),
		modules.PureFn("disk_usage", doc("disk_usage /home", "Tell how full the file system of a folder is, in bytes."), diskUsage),
		modules.PureFn("get_users", doc("get_users", "List who is logged in."), users),
		modules.PureFn("network_io_counters", doc("network_io_counters", "Tell what the network has carried, in all or over one interface."), netIO),
		modules.PureFn("num_cpus", doc("num_cpus", "Tell how many processors there are."), numCPUs),
		modules.PureFn("swap_memory", doc("swap_memory", "Tell how full the swap space is, in bytes."), swap),
		modules.PureFn("total_physical_memory", doc("total_physical_memory", "Tell how much memory the machine has, in bytes."), totalMemory),
		modules.PureFn("virtual_memory", doc("virtual_memory", "Tell how the memory is used, in bytes."), virtual),
	}
}

func size(n uint64) int64 { return int64(n) } //nolint:gosec // no machine has 2^63 bytes

func failed(err error) error { return modules.Errorf("%v", err) }

type bootArgs struct {
	Format string `arg:"time_format" def:"None"`
}

func bootTime(ctx context.Context, env *modules.Env, in bootArgs) (any, error) {
	t, err := host.BootTimeWithContext(ctx)
	if err != nil {
		return nil, failed(err)
	}
	if in.Format == "" {
		return size(t), nil
	}
	return strftime.Format(in.Format, time.Unix(size(t), 0)), nil
}

type percentArgs struct {
	Interval float64 `arg:"interval" def:"0.1"`
	PerCPU   bool    `arg:"per_cpu" def:"False"`
}

func cpuPercent(ctx context.Context, _ *modules.Env, in percentArgs) (any, error) {
	list, err := cpu.PercentWithContext(ctx, time.Duration(in.Interval*float64(time.Second)), in.PerCPU)
	if err != nil {
		return nil, failed(err)
	}
	if !in.PerCPU && len(list) == 1 {
		return list[0], nil
	}
	out := make([]any, len(list))
	for i, p := range list {
		out[i] = p
	}
	return out, nil
}

type perCPUArgs struct {
	PerCPU bool `arg:"per_cpu" def:"False"`
}

func cpuTimes(ctx context.Context, _ *modules.Env, in perCPUArgs) (any, error) {
	list, err := cpu.TimesWithContext(ctx, in.PerCPU)
	if err != nil {
		return nil, failed(err)
	}
	out := []any{}
	for _, t := range list {
		out = append(out, ordered.Pairs("user", t.User, "nice", t.Nice, "system", t.System, "idle", t.Idle, "iowait", t.Iowait, "irq", t.Irq,
			"softirq", t.Softirq, "steal", t.Steal, "guest", t.Guest, "guest_nice", t.GuestNice))
	}
	if !in.PerCPU && len(out) == 1 {
		return out[0], nil
	}
	return out, nil
}

func numCPUs(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	n, err := cpu.CountsWithContext(ctx, true)
	return int64(n), err
}

func totalMemory(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return size(m.Total), nil
}

func virtual(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return ordered.Pairs("total", size(m.Total), "available", size(m.Available), "percent", m.UsedPercent, "used", size(m.Used), "free", size(m.Free),
		"active", size(m.Active), "inactive", size(m.Inactive), "buffers", size(m.Buffers), "cached", size(m.Cached), "shared", size(m.Shared), "slab", size(m.Slab)), nil
}

func swap(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	m, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return ordered.Pairs("total", size(m.Total), "used", size(m.Used), "free", size(m.Free), "percent", m.UsedPercent, "sin", size(m.Sin), "sout", size(m.Sout)), nil
}

type partitionArgs struct {
	All bool `arg:"all" def:"False"`
}

func partitions(ctx context.Context, _ *modules.Env, in partitionArgs) (any, error) {
	list, err := disk.PartitionsWithContext(ctx, in.All)
	if err != nil {
		return nil, failed(err)
	}
	out := []any{}
	for _, p := range list {
		opts := ""
		for i, o := range p.Opts {
			if i > 0 {
				opts += ","
			}
			opts += o
		}
		out = append(out, ordered.Pairs("device", p.Device, "mountpoint", p.Mountpoint, "fstype", p.Fstype, "opts", opts))
	}
	return out, nil
}

type pathArgs struct {
	Path string `arg:"path"`
}

func diskUsage(ctx context.Context, _ *modules.Env, in pathArgs) (any, error) {
	u, err := disk.UsageWithContext(ctx, in.Path)
	if err != nil {
		return nil, failed(err)
	}
	return ordered.Pairs("total", size(u.Total), "used", size(u.Used), "free", size(u.Free), "percent", u.UsedPercent), nil
}

func partitionUsage(ctx context.Context, env *modules.Env, in partitionArgs) (any, error) {
	v, err := partitions(ctx, env, in)
	list, _ := v.([]any)
	for _, e := range list {
		p, _ := e.(*ordered.Map)
		u, err := diskUsage(ctx, env, pathArgs{p.String("mountpoint")})
		if m, ok := u.(*ordered.Map); ok && err == nil {
			p.Update(m)
		}
	}
	return v, err
}

func users(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	out := []any{}
	list, err := host.UsersWithContext(ctx)
	if err != nil {
		return out, nil //nolint:nilerr // no login record: nobody is logged in
	}
	for _, u := range list {
		out = append(out, ordered.Pairs("name", u.User, "terminal", u.Terminal, "started", float64(u.Started), "host", u.Host))
	}
	return out, nil
}

type ioArgs struct {
	Interface string `arg:"interface" def:"None"`
}

func netIO(ctx context.Context, _ *modules.Env, in ioArgs) (any, error) {
	list, err := net.IOCountersWithContext(ctx, in.Interface != "")
	if err != nil {
		return nil, failed(err)
	}
	for _, c := range list {
		if in.Interface == "" || c.Name == in.Interface {
			return ordered.Pairs("bytes_sent", size(c.BytesSent), "bytes_recv", size(c.BytesRecv), "packets_sent", size(c.PacketsSent), "packets_recv", size(c.PacketsRecv),
				"errin", size(c.Errin), "errout", size(c.Errout), "dropin", size(c.Dropin), "dropout", size(c.Dropout)), nil
		}
	}
	return false, nil
}
