// Package metrics serves numbers for Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/) on an
// address of its own. Minion ids are never labels: a fleet would make too many series.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Sample is one number read at a scrape. Labels alternate names and values.
type Sample struct {
	Name, Help string
	Counter    bool
	Value      float64
	Labels     []string
}

// Source gives the present numbers.
type Source func() []Sample

// Collect implements prometheus.Collector.
func (s Source) Collect(ch chan<- prometheus.Metric) {
	for _, m := range s() {
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		var names, values []string
		for i := 0; i+1 < len(m.Labels); i += 2 {
			names, values = append(names, m.Labels[i]), append(values, m.Labels[i+1])
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(m.Name, m.Help, names, nil), kind, m.Value, values...)
	}
}

// Describe implements prometheus.Collector: the set of numbers is not known before they are read.
func (s Source) Describe(chan<- *prometheus.Desc) {}

// Serve answers GET /metrics on addr until ctx ends. An empty addr only waits.
func Serve(ctx context.Context, addr string, s Source) error {
	if addr == "" {
		<-ctx.Done()
		return ctx.Err()
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(s, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("option metrics_listen: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
