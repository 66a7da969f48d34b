// Package states holds one suite that every state function joins: a dry run changes nothing, the run reaches the wish, a
// second run has nothing to change, and a dry run after it says so. A function without a case fails the suite.
package states
