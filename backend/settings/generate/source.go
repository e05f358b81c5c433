package main

// Reads the declaration from its source, so that it is read even where the package does
// not compile: it may name what is generated only from it.

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nametag-dev/nametag/backend/settings/internal/declaration"
)

// fault is what is wrong in a line of the source.
type fault struct {
	line   int
	reason string
}

func (f fault) String() string { return fmt.Sprintf("%s:%d: %s", source, f.line, f.reason) }

type sourceReader struct {
	files  *token.FileSet
	file   *ast.File
	faults []fault
}

// read returns the declared settings, or all faults by line.
func read(root string) (declared, []fault) {
	r := &sourceReader{files: token.NewFileSet()}
	var err error
	r.file, err = parser.ParseFile(r.files, filepath.Join(root, filepath.FromSlash(source)), nil, parser.SkipObjectResolution)
	var list scanner.ErrorList
	switch {
	case errors.As(err, &list):
		for _, e := range list {
			r.faults = append(r.faults, fault{e.Pos.Line, e.Msg})
		}
		return declared{}, r.faults
	case err != nil:
		return declared{}, []fault{{1, err.Error()}}
	}
	d := declared{widget: r.structOf("Widget", declaration.Widget), site: r.structOf("Site", declaration.Site)}
	slices.SortStableFunc(r.faults, func(a, b fault) int { return a.line - b.line })
	return d, r.faults
}

func (r *sourceReader) fault(at token.Pos, format string, args ...any) {
	r.faults = append(r.faults, fault{r.files.Position(at).Line, fmt.Sprintf(format, args...)})
}

// structOf reads one of the two structs.
func (r *sourceReader) structOf(name string, scope declaration.Scope) []declaration.Field {
	var specs []*ast.TypeSpec
	for _, decl := range r.file.Decls {
		if general, ok := decl.(*ast.GenDecl); ok {
			for _, spec := range general.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
					specs = append(specs, t)
				}
			}
		}
	}
	if len(specs) == 0 {
		r.fault(r.file.Name.Pos(), "there is no struct %s: one without fields declares no settings", name)
		return nil
	}
	for _, again := range specs[1:] {
		r.fault(again.Pos(), "%s is declared twice", name)
	}
	body, ok := specs[0].Type.(*ast.StructType)
	if !ok || specs[0].Assign.IsValid() || specs[0].TypeParams != nil {
		r.fault(specs[0].Pos(), "%s is no plain struct: it must be declared as type %s struct { … }", name, name)
		return nil
	}
	var (
		raws []declaration.Raw
		at   []token.Pos
	)
	for _, f := range body.Fields.List {
		raw := declaration.Raw{Type: r.typeName(f.Type)}
		if f.Tag != nil {
			raw.Tag, _ = strconv.Unquote(f.Tag.Value) // the parser has read it
		}
		if len(f.Names) == 0 {
			raw.GoName, raw.Embedded = raw.Type, true
			raws, at = append(raws, raw), append(at, f.Pos())
		}
		for _, ident := range f.Names {
			raw.GoName = ident.Name
			raws, at = append(raws, raw), append(at, ident.Pos())
		}
	}
	fields, faults := declaration.Of(scope, raws)
	for _, f := range faults {
		r.fault(at[f.Index], "%s.%s: %s", name, raws[f.Index].GoName, f.Reason)
	}
	return fields
}

// typeName is a type as declaration.Raw has it.
func (r *sourceReader) typeName(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return "*" + r.typeName(t.X)
	case *ast.ArrayType:
		return "[]" + r.typeName(t.Elt)
	case *ast.MapType:
		return "map[" + r.typeName(t.Key) + "]" + r.typeName(t.Value)
	case *ast.SelectorExpr:
		if pkg, ok := t.X.(*ast.Ident); ok {
			return r.packageOf(pkg.Name) + "." + t.Sel.Name
		}
	}
	return "another kind"
}

// packageOf returns "settings" for the name of package settings in this file, and the
// import path for that of any other package.
func (r *sourceReader) packageOf(name string) string {
	for _, spec := range r.file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		local := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == name {
			if strings.HasSuffix(path, "/backend/settings") {
				return "settings"
			}
			return path
		}
	}
	return name + " (not imported)"
}
