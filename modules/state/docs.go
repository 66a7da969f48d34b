package state

const applyDoc = `Bring the system into the state that SLS files describe: those named, or without names those of the top file.

mods
    names of SLS files, separated by commas
test
    True: say what would change and change nothing
pillar
    data over the pillar, for this run
exclude
    SLS files to leave out
queue
    True: wait for a run that is under way
concurrent
    True: run beside others, at your own risk
saltenv, pillarenv
    the environments of files and pillar

CLI Example:

    salt '*' state.apply
    salt '*' state.apply core,edit.vim dev test=True
    salt '*' state.apply webserver pillar='{"foo": "bar"}'`

const slsDoc = `Run SLS files by name. The options are those of state.apply.

CLI Example:

    salt '*' state.sls core,edit.vim`

const highstateDoc = `Run the SLS files that the top file gives to the minion. The options are those of state.apply.

CLI Example:

    salt '*' state.highstate
    salt '*' state.highstate exclude=sls_to_exclude`

const testDoc = `Say what state.apply would change, and change nothing.

CLI Example:

    salt '*' state.test core`

const slsIDDoc = `Run the states of one ID of SLS files, without what it requires.

CLI Example:

    salt '*' state.sls_id my_state my_module`

const singleDoc = `Run one state function with its arguments.

CLI Example:

    salt '*' state.single pkg.installed name=vim`

const highDoc = `Run states that are given as a map, in the form of an SLS file.

CLI Example:

    salt '*' state.high '{"vim": {"pkg": ["installed"]}}'`

const lowDoc = `Run one state that is given in its compiled form.

CLI Example:

    salt '*' state.low '{"state": "pkg", "fun": "installed", "__id__": "vi", "name": "vi"}'`

const templateDoc = `Run the states of a file on the minion.

CLI Example:

    salt '*' state.template '/path/to/sls'`

const templateStrDoc = `Run the states of a text in the form of an SLS file.

CLI Example:

    salt '*' state.template_str '<Template String>'`

const runningDoc = `List the state runs that are under way, as texts.

CLI Example:

    salt '*' state.running`

const showSLSDoc = `Show what SLS files render to.

CLI Example:

    salt '*' state.show_sls core,edit.vim`

const showLowSLSDoc = `Show the compiled form of SLS files, in the order of the run.

CLI Example:

    salt '*' state.show_low_sls foo`

const showTopDoc = `Show the SLS files that the top file gives to the minion, by environment.

CLI Example:

    salt '*' state.show_top`

const showHighstateDoc = `Show what the SLS files of the top file render to.

CLI Example:

    salt '*' state.show_highstate`

const showLowstateDoc = `Show the compiled form of the SLS files of the top file, in the order of the run.

CLI Example:

    salt '*' state.show_lowstate`

const showStatesDoc = `List the SLS files that a highstate runs, in order.

CLI Example:

    salt '*' state.show_states`

const showUsageDoc = `Tell which SLS files of the environments a highstate uses, and which it does not.

CLI Example:

    salt '*' state.show_state_usage`

const slsExistsDoc = `Tell whether SLS files are there and render.

CLI Example:

    salt '*' state.sls_exists core,edit.vim`

const idExistsDoc = `Tell whether SLS files have states with these IDs.

CLI Example:

    salt '*' state.id_exists my_state,other_state my_module`

const requestDoc = `Make a dry run and note that the run is wanted: state.run_request makes it.

CLI Example:

    salt '*' state.request stuff`

const checkRequestDoc = `Show the noted requests.

CLI Example:

    salt '*' state.check_request`

const clearRequestDoc = `Drop noted requests: all, or the one of a name.

CLI Example:

    salt '*' state.clear_request`

const runRequestDoc = `Make a run that was requested.

CLI Example:

    salt '*' state.run_request`

const disableDoc = `Switch SLS files, or highstate, off: they are refused until state.enable.

CLI Example:

    salt '*' state.disable highstate
    salt '*' state.disable test.succeed_without_changes`

const enableDoc = `Switch SLS files that were switched off on again.

CLI Example:

    salt '*' state.enable highstate`

const listDisabledDoc = `List the SLS files that are switched off.

CLI Example:

    salt '*' state.list_disabled`
