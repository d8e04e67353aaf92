package provider

import "github.com/hashicorp/terraform-plugin-framework/diag"

// nothingVisible warns where a complete list is empty.
func nothingVisible() diag.Diagnostic {
	return diag.NewWarningDiagnostic("The authorization sees no sessions",
		"The list of sessions is empty. senhasegura lists only the live and ended sessions within the scope of the authorization. "+
			"A drain with this authorization finds no sessions and doesn't block a destroy.\n\n"+
			"In A2A › Applications › Authorizations, give the authorization access to the Credentials and Devices of the sessions. "+
			"In a new installation, connect to a device through senhasegura, then run Terraform again.")
}
