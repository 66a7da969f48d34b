package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var negative = regexp.MustCompile(`^-\.?\d`)

// normalize does for a command's arguments what Salt's option parser does and ours does not: a unique beginning of a
// long option stands for it, and a negative number is an argument.
func normalize(cmd *cobra.Command, args []string) ([]string, error) {
	cmd.InheritedFlags() // puts the parents' flags into place
	cmd.InitDefaultHelpFlag()
	flags := cmd.Flags()
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(out, args[i:]...), nil
		case strings.HasPrefix(arg, "--"):
			full, takesNext, err := longOption(flags, arg)
			if err != nil {
				return nil, err
			}
			out = append(out, full)
			if takesNext {
				if i++; i >= len(args) {
					return nil, usagef("%s option requires 1 argument", full)
				}
				out[len(out)-1] = full + "=" + args[i]
			}
		case negative.MatchString(arg):
			out = append(out, positionalMark+arg)
		default:
			out = append(out, arg)
			if shortTakesNext(flags, arg) && i+1 < len(args) {
				i++
				out[len(out)-1] = arg + args[i]
				if args[i] == "" {
					out = append(out[:len(out)-1], arg, "")
				}
			}
		}
	}
	return out, nil
}

// positionalMark hides the dash of a negative number from the option parser; words takes it off again.
const positionalMark = "\x00"

// words are a command's positional arguments as the user wrote them.
func words(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.TrimPrefix(a, positionalMark)
	}
	return out
}

// longOption completes a long option. takesNext is set when its value is the next argument.
func longOption(flags *pflag.FlagSet, arg string) (full string, takesNext bool, err error) {
	name, value, hasValue := strings.Cut(arg[2:], "=")
	name = strings.ReplaceAll(name, "_", "-")
	f := flags.Lookup(name)
	if f == nil {
		var all []string
		flags.VisitAll(func(c *pflag.Flag) {
			if strings.HasPrefix(c.Name, name) {
				all = append(all, c.Name)
			}
		})
		all = distinct(flags, all)
		switch len(all) {
		case 0:
			return "", false, usagef("no such option: --%s", name)
		case 1:
			f = flags.Lookup(all[0])
		default:
			for i := range all {
				all[i] = "--" + all[i]
			}
			return "", false, usagef("ambiguous option: --%s (%s?)", name, strings.Join(all, ", "))
		}
	}
	full = "--" + f.Name
	if hasValue {
		return full + "=" + value, false, nil
	}
	return full, f.NoOptDefVal == "", nil
}

// distinct leaves one of several names that set the same value, so that --out is not ambiguous.
func distinct(flags *pflag.FlagSet, names []string) []string {
	slices.Sort(names)
	var out []string
	var seen []pflag.Value
	for _, n := range names {
		v := flags.Lookup(n).Value
		if slices.Contains(seen, v) {
			continue
		}
		seen, out = append(seen, v), append(out, n)
	}
	return out
}

// shortTakesNext tells whether a bundle such as -vt wants the next argument as its value.
func shortTakesNext(flags *pflag.FlagSet, arg string) bool {
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	for i := 1; i < len(arg); i++ {
		f := flags.ShorthandLookup(arg[i : i+1])
		if f == nil {
			return false
		}
		if f.NoOptDefVal == "" {
			return i == len(arg)-1
		}
	}
	return false
}

// flagError puts a parser's complaint into the words of Salt's.
func flagError(err error) error {
	var (
		missing *pflag.NotExistError
		needs   *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &missing):
		name := missing.GetSpecifiedName()
		if len(name) == 1 || missing.GetSpecifiedShortnames() != "" {
			return usagef("no such option: -%s", name)
		}
		return usagef("no such option: --%s", name)
	case errors.As(err, &needs):
		return usagef("--%s option requires 1 argument", needs.GetSpecifiedName())
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return usagef("option --%s: invalid value: '%s'", f.Name, invalid.GetValue())
	}
	return &usageErr{err.Error()}
}

// alias gives an option a second name.
func alias(flags *pflag.FlagSet, name string, others ...string) {
	f := flags.Lookup(name)
	for _, o := range others {
		c := *f
		c.Name, c.Shorthand, c.Hidden = o, "", true
		flags.AddFlag(&c)
	}
}

// boolText is an option whose value is a truth in Python's words: --state-verbose=False.
type boolText struct{ v *bool }

func (b boolText) String() string {
	if b.v == nil {
		return ""
	}
	return strconv.FormatBool(*b.v)
}

func (b boolText) Set(s string) error {
	v, err := strconv.ParseBool(strings.ToLower(s))
	if err != nil {
		return fmt.Errorf("want True or False")
	}
	*b.v = v
	return nil
}

func (b boolText) Type() string { return "bool" }
