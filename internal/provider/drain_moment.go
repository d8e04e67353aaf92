package provider

// The moments at which a drain runs: the creation and the destroy of a resource, which
// are the values of `drain_on`, and the invocation of an action.
const (
	onCreate  = "create"
	onDestroy = "destroy"
	onInvoke  = "invoke"
)

// The values of `on_failure` and `on_excluded`.
const (
	halt       = "halt"
	continueOn = "continue"
)

// timeoutOf names the member of `timeouts` that bounds a drain.
var timeoutOf = map[string]string{onCreate: "create", onDestroy: "delete", onInvoke: "invoke"}
