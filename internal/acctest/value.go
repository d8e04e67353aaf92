package acctest

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type unknown struct{}

func (unknown) String() string { return "(known after apply)" }

// Unknown stands for a value that is not known yet, in configurations that are
// given and in values that come back.
var Unknown any = unknown{}

// encode makes a value of the given type. An attribute that is left out is null.
func encode(kind tftypes.Type, value any) (tftypes.Value, error) {
	switch value {
	case nil:
		return tftypes.NewValue(kind, nil), nil
	case Unknown:
		return tftypes.NewValue(kind, tftypes.UnknownValue), nil
	}
	switch kind := kind.(type) {
	case tftypes.Object:
		return encodeObject(kind, value)
	case tftypes.Map:
		members, err := membersOf(value)
		if err != nil {
			return tftypes.Value{}, err
		}
		encoded := make(map[string]tftypes.Value, len(members))
		for name, member := range members {
			if encoded[name], err = encode(kind.ElementType, member); err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
			}
		}
		return checked(kind, encoded)
	case tftypes.List:
		return encodeElements(kind, kind.ElementType, value)
	case tftypes.Set:
		return encodeElements(kind, kind.ElementType, value)
	}
	return checked(kind, value)
}

func encodeObject(kind tftypes.Object, value any) (tftypes.Value, error) {
	members, err := membersOf(value)
	if err != nil {
		return tftypes.Value{}, err
	}
	for name := range members {
		if _, ok := kind.AttributeTypes[name]; !ok {
			return tftypes.Value{}, fmt.Errorf("there is no attribute %q", name)
		}
	}
	encoded := make(map[string]tftypes.Value, len(kind.AttributeTypes))
	for name, attribute := range kind.AttributeTypes {
		if encoded[name], err = encode(attribute, members[name]); err != nil {
			return tftypes.Value{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return checked(kind, encoded)
}

// membersOf takes any map with text as its key.
func membersOf(value any) (map[string]any, error) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%T given where a map or an object belongs", value)
	}
	members := make(map[string]any, v.Len())
	for entry := v.MapRange(); entry.Next(); {
		members[entry.Key().String()] = entry.Value().Interface()
	}
	return members, nil
}

func encodeElements(kind, element tftypes.Type, value any) (tftypes.Value, error) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return tftypes.Value{}, fmt.Errorf("%T given where a list or a set belongs", value)
	}
	encoded := make([]tftypes.Value, v.Len())
	for i := range v.Len() {
		var err error
		if encoded[i], err = encode(element, v.Index(i).Interface()); err != nil {
			return tftypes.Value{}, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return checked(kind, encoded)
}

// checked is tftypes.NewValue with an error in place of its panic.
func checked(kind tftypes.Type, value any) (tftypes.Value, error) {
	if err := tftypes.ValidateValue(kind, value); err != nil {
		return tftypes.Value{}, err
	}
	return tftypes.NewValue(kind, value), nil
}

// decode gives a value as plain Go: nil, Unknown, string, bool, int64 or
// float64, []any, map[string]any.
func decode(value tftypes.Value) any {
	switch {
	case value.IsNull():
		return nil
	case !value.IsKnown():
		return Unknown
	}
	switch kind := value.Type(); {
	case kind.Is(tftypes.String):
		var text string
		must(value.As(&text))
		return text
	case kind.Is(tftypes.Bool):
		var truth bool
		must(value.As(&truth))
		return truth
	case kind.Is(tftypes.Number):
		var number *big.Float
		must(value.As(&number))
		if whole, accuracy := number.Int64(); accuracy == big.Exact {
			return whole
		}
		fraction, _ := number.Float64()
		return fraction
	case kind.Is(tftypes.Object{}), kind.Is(tftypes.Map{}):
		return decodeMembers(value)
	default:
		var elements []tftypes.Value
		must(value.As(&elements))
		decoded := make([]any, 0, len(elements))
		for _, element := range elements {
			decoded = append(decoded, decode(element))
		}
		return decoded
	}
}

func decodeMembers(value tftypes.Value) map[string]any {
	decoded := map[string]any{}
	for name, member := range membersOfValue(value) {
		decoded[name] = decode(member)
	}
	return decoded
}

// membersOfValue gives the attributes of an object or a map, none where it is
// null or unknown.
func membersOfValue(value tftypes.Value) map[string]tftypes.Value {
	if value.IsNull() || !value.IsKnown() {
		return nil
	}
	var members map[string]tftypes.Value
	must(value.As(&members))
	return members
}

// must: a value of a type that was just asked for converts.
func must(err error) {
	if err != nil {
		panic("acctest: " + err.Error())
	}
}
