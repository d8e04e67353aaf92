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

// consequenceOf is the effect of a failed drain.
var consequenceOf = map[string]string{
	onCreate:  "The drain is tainted. The next apply drains again.",
	onDestroy: "Terraform did not destroy the resources that this drain protects.",
}

// goesOnAfter is what Terraform does although sessions are still live.
var goesOnAfter = map[string]string{
	onCreate:  "so Terraform continues.",
	onDestroy: "so Terraform destroys the resources that this drain protects anyway.",
}
