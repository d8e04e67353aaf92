package session_test

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

func TestValidateID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, id string
		valid    bool
	}{
		{"hash", "c819cbc5f2fad2065f1d132a22d0e2dfacccb228", true},
		{"UUIDv7", "01890a5d-ac96-774b-bcce-b302099a8057", true},
		{"slash, which is escaped", "a/b", true},
		{"dots inside a word", "a..b", true},
		{"question mark and hash", "a?b#c", true},
		{"percent that escapes nothing", "100%", true},
		{"letters of another script", "sessão-ção", true},
		{"longest", strings.Repeat("a", 512), true},

		{"empty", "", false},
		{"too long", strings.Repeat("a", 513), false},
		{"blank", " ", false},
		{"blank in front", " a", false},
		{"blank behind", "a ", false},
		{"newline", "a\nb", false},
		{"carriage return and header", "a\r\nHost: b", false},
		{"NUL", "a\x00b", false},
		{"tab", "a\tb", false},
		{"zero-width space", "a\u200bb", false},
		{"right-to-left override", "a\u202eb", false},
		{"invalid UTF-8", "a\xffb", false},
		{"dot", ".", false},
		{"dot dot", "..", false},
		{"traversal", "../../x", false},
		{"traversal inside", "a/../b", false},
		{"traversal with backslashes", `..\x`, false},
		{"escaped traversal", "%2e%2e", false},
		{"escaped traversal, mixed case", "%2E%2e%2Fx", false},
		{"twice escaped traversal", "%252e%252e", false},
		{"slash alone", "/", false},
		{"slash in front, which a proxy may drop", "/a", false},
		{"slash behind", "a/", false},
		{"two slashes, which a proxy may fold", "a//b", false},
		{"escaped slashes", "a%2f%2Fb", false},
		{"half escaped traversal", ".%2e/x", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := session.ValidateID(test.id)
			if (err == nil) != test.valid {
				t.Errorf("ValidateID(%q) = %v, want valid %t", test.id, err, test.valid)
			}
			if err != nil && !errors.Is(err, session.ErrIdentifier) {
				t.Errorf("ValidateID(%q) = %v, which is not ErrIdentifier", test.id, err)
			}
		})
	}
}

func TestValidateRecordID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"6", "0", "12345678901234567890"} {
		if err := session.ValidateRecordID(id); err != nil {
			t.Errorf("ValidateRecordID(%q) = %v, want none", id, err)
		}
	}
	for _, id := range []string{
		"", "-1", "1.5", "0x6", " 6", "6\n", "٦", "007", "123456789012345678901", "c819cbc5f2fad2065f1d132a22d0e2dfacccb228", "../6",
	} {
		if err := session.ValidateRecordID(id); !errors.Is(err, session.ErrIdentifier) {
			t.Errorf("ValidateRecordID(%q) = %v, want ErrIdentifier", id, err)
		}
	}
}

// Whatever is valid stays one segment below the route, however often a proxy
// decodes and cleans the path.
func FuzzValidateID(f *testing.F) {
	for _, seed := range []string{"c819cbc5f2fad2065f1d132a22d0e2dfacccb228", "../../x", "a/b", "%2e%2e", "a\nb", "", "%25252e%25252e/", `..\..`, "%", "%2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if session.ValidateID(id) != nil {
			return
		}
		text := url.PathEscape(id)
		for {
			if cleaned := path.Clean("/drop/" + text); cleaned != "/drop/"+text {
				t.Fatalf("%q becomes the path %q", id, cleaned)
			}
			decoded, err := url.PathUnescape(text)
			if err != nil || decoded == text {
				return
			}
			text = decoded
		}
	})
}
