package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/termination"
)

// unseenModel is a value that no session has.
type unseenModel struct {
	Argument types.String `tfsdk:"argument"`
	Value    types.String `tfsdk:"value"`
	Similar  []string     `tfsdk:"similar"`
}

func unseenType() types.ObjectType {
	return types.ObjectType{AttrTypes: map[string]attr.Type{
		"argument": types.StringType,
		"value":    types.StringType,
		"similar":  types.ListType{ElemType: types.StringType},
	}}
}

// unseenAttribute is the computed `unseen` of a data source.
func unseenAttribute() schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: "Values of `match` and `exclude` that no session has, live or ended: misspelled, outside the authorization's scope, or never used. " +
			"A value without similar ones is listed only if no session has any value of the same argument of `match`.",
		Computed: true,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"argument": schema.StringAttribute{MarkdownDescription: "Argument that has the value, such as `match.devices`.", Computed: true},
			"value":    schema.StringAttribute{MarkdownDescription: "The value.", Computed: true},
			"similar": schema.ListAttribute{
				MarkdownDescription: "Up to three similar values that sessions have, the most similar first.",
				Computed:            true,
				ElementType:         types.StringType,
			},
		}},
	}
}

func unseenList(ctx context.Context, unseen []termination.Unseen) (types.List, diag.Diagnostics) {
	models := make([]unseenModel, 0, len(unseen))
	for _, u := range unseen {
		models = append(models, unseenModel{
			Argument: types.StringValue(u.Argument),
			Value:    types.StringValue(u.Value),
			Similar:  append([]string{}, u.Similar...), // a list without elements is not null
		})
	}
	return types.ListValueFrom(ctx, unseenType(), models)
}
