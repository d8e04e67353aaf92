package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
)

// formatVersion is what Terraform 1.x prints.
const formatVersion = "1.0"

// errUnsupported marks a part of the protocol that no page could show, because
// this program does not print it.
var errUnsupported = errors.New("not supported")

// marshal asks server for its schemas and returns them as indented JSON that
// ends with a newline: the document of `terraform providers schema -json` with
// one provider under the key address. Map keys are sorted, so equal schemas
// give equal bytes. Error diagnostics of the server are returned as an error.
func marshal(ctx context.Context, server tfprotov6.ProviderServer, address string) ([]byte, error) {
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, fmt.Errorf("asking for the schemas: %w", err)
	}
	if err := diagnosticsError(schemas.Diagnostics); err != nil {
		return nil, fmt.Errorf("asking for the schemas: %w", err)
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, fmt.Errorf("asking for the identity schemas: %w", err)
	}
	if err := diagnosticsError(identities.Diagnostics); err != nil {
		return nil, fmt.Errorf("asking for the identity schemas: %w", err)
	}

	provider, err := providerSchema(schemas, identities)
	if err != nil {
		return nil, err
	}
	document, err := json.MarshalIndent(tfjson.ProviderSchemas{
		FormatVersion: formatVersion,
		Schemas:       map[string]*tfjson.ProviderSchema{address: provider},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("printing the schemas: %w", err)
	}
	return append(document, '\n'), nil
}

func diagnosticsError(diagnostics []*tfprotov6.Diagnostic) error {
	var all []error
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			all = append(all, fmt.Errorf("%s: %s", d.Summary, d.Detail))
		}
	}
	return errors.Join(all...)
}

func providerSchema(schemas *tfprotov6.GetProviderSchemaResponse, identities *tfprotov6.GetResourceIdentitySchemasResponse) (*tfjson.ProviderSchema, error) {
	if len(schemas.Functions)+len(schemas.ListResourceSchemas)+len(schemas.StateStoreSchemas) > 0 {
		return nil, fmt.Errorf("functions, list resources and state stores are %w", errUnsupported)
	}
	var (
		out tfjson.ProviderSchema
		err error
	)
	if out.ConfigSchema, err = schema(schemas.Provider); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	if out.ResourceSchemas, err = byName(schemas.ResourceSchemas, schema); err != nil {
		return nil, fmt.Errorf("resource %w", err)
	}
	if out.DataSourceSchemas, err = byName(schemas.DataSourceSchemas, schema); err != nil {
		return nil, fmt.Errorf("data source %w", err)
	}
	if out.EphemeralResourceSchemas, err = byName(schemas.EphemeralResourceSchemas, schema); err != nil {
		return nil, fmt.Errorf("ephemeral resource %w", err)
	}
	if out.ActionSchemas, err = byName(schemas.ActionSchemas, actionSchema); err != nil {
		return nil, fmt.Errorf("action %w", err)
	}
	if out.ResourceIdentitySchemas, err = byName(identities.IdentitySchemas, identitySchema); err != nil {
		return nil, fmt.Errorf("identity of resource %w", err)
	}
	return &out, nil
}

// byName converts each value of in and names the key in an error.
func byName[In, Out any](in map[string]In, convert func(In) (Out, error)) (map[string]Out, error) {
	out := make(map[string]Out, len(in))
	for name, value := range in {
		converted, err := convert(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = converted
	}
	return out, nil
}

func schema(in *tfprotov6.Schema) (*tfjson.Schema, error) {
	if in == nil {
		return &tfjson.Schema{}, nil
	}
	block, err := schemaBlock(in.Block)
	if err != nil {
		return nil, err
	}
	version, err := count(in.Version)
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	return &tfjson.Schema{Version: version, Block: block}, nil
}

func actionSchema(in *tfprotov6.ActionSchema) (*tfjson.ActionSchema, error) {
	converted, err := schema(in.Schema)
	if err != nil {
		return nil, err
	}
	return &tfjson.ActionSchema{Block: converted.Block}, nil
}

func schemaBlock(in *tfprotov6.SchemaBlock) (*tfjson.SchemaBlock, error) {
	attributes, err := schemaAttributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	if len(in.BlockTypes) > 0 {
		return nil, fmt.Errorf("nested blocks are %w: protocol 6 has nested attributes", errUnsupported)
	}
	return &tfjson.SchemaBlock{
		Attributes:      attributes,
		Description:     in.Description,
		DescriptionKind: descriptionKind(in.DescriptionKind),
		Deprecated:      in.Deprecated,
	}, nil
}

func schemaAttributes(in []*tfprotov6.SchemaAttribute) (map[string]*tfjson.SchemaAttribute, error) {
	out := make(map[string]*tfjson.SchemaAttribute, len(in))
	for _, attribute := range in {
		converted, err := schemaAttribute(attribute)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", attribute.Name, err)
		}
		out[attribute.Name] = converted
	}
	return out, nil
}

func schemaAttribute(in *tfprotov6.SchemaAttribute) (*tfjson.SchemaAttribute, error) {
	out := &tfjson.SchemaAttribute{
		Description:     in.Description,
		DescriptionKind: descriptionKind(in.DescriptionKind),
		Deprecated:      in.Deprecated,
		Required:        in.Required,
		Optional:        in.Optional,
		Computed:        in.Computed,
		Sensitive:       in.Sensitive,
		WriteOnly:       in.WriteOnly,
	}
	var err error
	if in.NestedType != nil {
		out.AttributeNestedType, err = nestedType(in.NestedType)
	} else {
		out.AttributeType, err = attributeType(in.Type)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func nestedType(in *tfprotov6.SchemaObject) (*tfjson.SchemaNestedAttributeType, error) {
	modes := map[tfprotov6.SchemaObjectNestingMode]tfjson.SchemaNestingMode{
		tfprotov6.SchemaObjectNestingModeSingle: tfjson.SchemaNestingModeSingle,
		tfprotov6.SchemaObjectNestingModeList:   tfjson.SchemaNestingModeList,
		tfprotov6.SchemaObjectNestingModeSet:    tfjson.SchemaNestingModeSet,
		tfprotov6.SchemaObjectNestingModeMap:    tfjson.SchemaNestingModeMap,
	}
	mode, ok := modes[in.Nesting]
	if !ok {
		return nil, fmt.Errorf("nesting mode %s: %w", in.Nesting, errUnsupported)
	}
	attributes, err := schemaAttributes(in.Attributes)
	if err != nil {
		return nil, err
	}
	return &tfjson.SchemaNestedAttributeType{Attributes: attributes, NestingMode: mode}, nil
}

func identitySchema(in *tfprotov6.ResourceIdentitySchema) (*tfjson.IdentitySchema, error) {
	version, err := count(in.Version)
	if err != nil {
		return nil, fmt.Errorf("version: %w", err)
	}
	out := &tfjson.IdentitySchema{
		Version:    version,
		Attributes: make(map[string]*tfjson.IdentityAttribute, len(in.IdentityAttributes)),
	}
	for _, attribute := range in.IdentityAttributes {
		identityType, err := attributeType(attribute.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", attribute.Name, err)
		}
		out.Attributes[attribute.Name] = &tfjson.IdentityAttribute{
			IdentityType:      identityType,
			Description:       attribute.Description,
			RequiredForImport: attribute.RequiredForImport,
			OptionalForImport: attribute.OptionalForImport,
		}
	}
	return out, nil
}

// attributeType goes by way of JSON, the form in which the protocol itself
// carries a type.
func attributeType(in tftypes.Type) (cty.Type, error) {
	if in == nil {
		return cty.NilType, fmt.Errorf("an attribute without a type is %w", errUnsupported)
	}
	encoded, err := json.Marshal(in)
	if err != nil {
		return cty.NilType, fmt.Errorf("type %s: %w", in, err)
	}
	var out cty.Type
	if err := json.Unmarshal(encoded, &out); err != nil {
		return cty.NilType, fmt.Errorf("type %s: %w", in, err)
	}
	return out, nil
}

func descriptionKind(in tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	if in == tfprotov6.StringKindMarkdown {
		return tfjson.SchemaDescriptionKindMarkdown
	}
	return tfjson.SchemaDescriptionKindPlain
}

func count(n int64) (uint64, error) {
	if n < 0 {
		return 0, fmt.Errorf("%d is below zero: %w", n, errUnsupported)
	}
	return uint64(n), nil
}
