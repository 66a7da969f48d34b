// Package console_test drives the web console in a real browser, against a real master and real minions.
package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/test/testbed"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testbed.Clean()
	os.Exit(code)
}

// browser starts Chromium; each page made from it has its own cookies.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := testbed.Need(t, "chromium", "apt-get install chromium")
	ctx, stop := chromedp.NewExecAllocator(t.Context(), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Headless,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true),
		chromedp.WindowSize(1440, 900))
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	return ctx
}

// page is a tab with the cookies of one user.
type page struct {
	t    *testing.T
	ctx  context.Context
	base string
}

func newPage(t *testing.T, in context.Context, base string) *page {
	t.Helper()
	ctx, stop := chromedp.NewContext(in, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	return &page{t, ctx, base}
}

func (p *page) open(path string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.Navigate(p.base+path)))
}

func (p *page) fill(selector, text string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.SetValue(chromedp.CSS(selector), text)))
}

func (p *page) click(selector string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.Click(chromedp.CSS(selector))), selector)
}

// sees waits until the page has a text, and says what it has when it does not come.
func (p *page) sees(text string) {
	p.t.Helper()
	quoted, err := json.Marshal(text)
	require.NoError(p.t, err)
	deadline := time.Now().Add(60 * time.Second)
	for {
		if ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("document.body.innerText.includes("+string(quoted)+")")); err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			all, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			require.Contains(p.t, all, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *page) text() string {
	p.t.Helper()
	all, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	require.NoError(p.t, err)
	return all
}

func (p *page) login(user, password string) {
	p.t.Helper()
	p.open("")
	p.fill("input[name=name]", user)
	p.fill("input[name=password]", password)
	p.click("main button")
}

const password = "correct horse battery"

// bed starts a master with a console, devices that sleep by simulation, and users; the last device's key waits.
func bed(t *testing.T) (b *testbed.Bed, base string) {
	t.Helper()
	srv := t.TempDir()
	require.NoError(t, os.CopyFS(srv, os.DirFS("../../examples/fleet")))
	addr := fmt.Sprintf("127.0.0.1:%d", testbed.FreePort(t))
	b = testbed.New(t, testbed.Options{Manual: true, Minions: []string{"car1", "car2"},
		Master: ordered.Pairs("auto_accept", false, "api_listen", addr, "file_roots", ordered.Pairs("base", []any{srv + "/salt"}), "pillar_roots", ordered.Pairs("base", []any{srv + "/pillar"})),
		Minion: ordered.Pairs("power_backend", "simulator", "startup_states", "sls", "sls_list", []any{"startup"}, "power_deadline", 60,
			"grains", ordered.Pairs("nasty", "<script>document.title='owned'</script>"))})
	b.Eventually(60*time.Second, "both ask for a key", func() bool {
		b.CLI("key", "-y", "-A")
		v, err := b.Runner("manage.present")
		list, _ := v.([]any)
		return err == nil && len(list) == 2
	})
	for _, role := range []string{"viewer", "operator", "admin"} {
		_, err := b.Runner("user.add", "name", role, "password", password, "role", role)
		require.NoError(t, err)
	}
	return b, "http://" + addr + "/console/"
}

func TestConsole(t *testing.T) {
	t.Parallel()
	b, base := bed(t)
	in := browser(t)
	t.Run("a wrong password", func(t *testing.T) {
		p := newPage(t, in, base)
		p.login("operator", "wrong horse battery")
		p.sees("Could not authenticate")
	})
	t.Run("a command in the terminal", func(t *testing.T) {
		p := newPage(t, in, base)
		p.login("operator", password)
		p.sees("online")
		p.open("terminal?tgt=car*")
		p.fill("input[name=command]", "cmd.run 'echo \"<b>hello</b>\" $((6*7))'")
		p.click("#terminal button")
		p.sees("<b>hello</b> 42") // as text, not as markup
		p.sees("2 answered")
		p.fill("input[name=command]", "no.such_function")
		p.click("#terminal button")
		p.sees("is not available")
	})
	t.Run("a refused target", func(t *testing.T) {
		p := newPage(t, in, base)
		p.login("operator", password)
		p.sees("Overview")
		p.open("terminal?tgt=nobody")
		p.fill("input[name=command]", "test.ping")
		p.click("#terminal button")
		p.sees("no device matches")
	})
	t.Run("markup in a grain is text", func(t *testing.T) {
		p := newPage(t, in, base)
		p.login("operator", password)
		p.sees("Overview")
		p.open("devices/car1")
		p.sees("<script>document.title='owned'</script>")
		title, err := chromedp.Run(p.ctx, chromedp.Title())
		require.NoError(t, err)
		assert.Equal(t, "car1 · Brine", title)
	})
	t.Run("events as they happen", func(t *testing.T) { liveEvents(t, b, newPage(t, in, base)) })
	t.Run("an update", func(t *testing.T) { update(t, b, newPage(t, in, base)) })
	t.Run("a key", func(t *testing.T) { acceptKey(t, b, newPage(t, in, base)) })
	t.Run("a viewer", func(t *testing.T) { viewer(t, newPage(t, in, base)) })
}

func liveEvents(t *testing.T, b *testbed.Bed, p *page) {
	p.login("viewer", password)
	p.sees("Overview")
	p.open("events?tag=my/*")
	p.sees("No event fits")
	for i := range 3 {
		_, err := b.Runner("event.send", "tag", fmt.Sprintf("my/tag/%d", i), "data", ordered.Pairs("note", "<i>x</i>"))
		require.NoError(t, err)
		p.sees(fmt.Sprintf("my/tag/%d", i))
	}
	assert.NotContains(t, p.text(), "salt/run")
}

// update queues an update, starts it, and opens the run that came of it.
func update(t *testing.T, b *testbed.Bed, p *page) {
	_, err := b.Runner("release.create", "version", "7.1")
	require.NoError(t, err)
	p.login("operator", password)
	p.sees("7.1")
	p.open("devices/car1")
	p.fill("select[name=release]", "7.1")
	p.click("button[value=queue]")
	p.sees("The update is queued.")
	p.sees("Update now?")
	p.click("button[value=now]")
	p.sees("The update starts now.")
	b.Eventually(90*time.Second, "the run is reported", func() bool {
		v, err := b.Runner("release.runs", "minion", "car1")
		list, _ := v.([]any)
		return err == nil && len(list) > 0
	})
	p.open("devices/car1")
	p.sees("updated")
	p.click("section td a[href^='/console/runs/']")
	p.sees("Successful")
	p.sees("Attempt")
	for _, group := range []string{"Failed", "Changed", "Successful"} {
		assert.Contains(t, p.text(), group)
	}
}

func acceptKey(t *testing.T, b *testbed.Bed, p *page) {
	b.AddMinion("car3")
	p.login("admin", password)
	p.sees("Overview")
	b.Eventually(60*time.Second, "car3 asks", func() bool {
		out, _, _ := b.CLI("key", "-l", "un")
		return strings.Contains(out, "car3")
	})
	p.open("keys")
	p.sees("pending")
	p.click("tr:has(span.warn) button[value=accept]")
	p.sees("The key of car3 is accepted.")
	b.WaitOnline("car3")
	p.open("audit")
	p.sees("wheel.key.accept_dict")
}

func viewer(t *testing.T, p *page) {
	p.login("viewer", password)
	p.sees("Overview")
	p.open("terminal")
	p.sees("this needs the role operator")
	p.open("users")
	p.sees("this needs the role admin")
	p.open("devices/car1")
	p.sees("Should have")
	assert.NotContains(t, p.text(), "Queue update")
	status, err := chromedp.Run(p.ctx, chromedp.Evaluate[int]("fetch('/console/updates', {method: 'POST', body: new URLSearchParams({action: 'now', id: 'car1'})}).then((r) => r.status)", chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, status)
}
