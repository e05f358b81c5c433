package declaration

// CSS colors, as far as a setting may be one: in any notation of CSS Color 4 and 5, or a
// theme color such as var(--wst-color-fill-background-primary, #ffffff). What is accepted
// is written into a style sheet, so nothing may end a declaration or load a file.

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	hexColor   = regexp.MustCompile(`^#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$`)
	themeColor = regexp.MustCompile(`^(?i:var)\(\s*--[A-Za-z0-9_-]+\s*(?:,(.*))?\)$`)
	colorCall  = regexp.MustCompile(`^(?i:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark)\((.*)\)$`)
	// arguments are those of colorCall, without other calls in them.
	arguments = regexp.MustCompile(`^[A-Za-z0-9#%.,/+*\s-]+$`)
	innerCall = regexp.MustCompile(`([A-Za-z-]*)\(([^()]*)\)`)
)

// isHarmless reports whether a text can be the value of a CSS property and no more.
func isHarmless(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError) && !hasControls(text) &&
		!strings.ContainsAny(text, `;{}<>\@!`) && !strings.Contains(text, "/*") && !strings.Contains(strings.ToLower(text), "url(") &&
		isClosed(text)
}

// isClosed reports whether every quote and parenthesis ends.
func isClosed(text string) bool {
	open, quote := 0, rune(0)
	for _, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			open++
		case c == ')':
			if open--; open < 0 {
				return false
			}
		}
	}
	return open == 0 && quote == 0
}

func isColor(text string) bool {
	if !isHarmless(text) || utf8.RuneCountInString(text) > maxColor {
		return false
	}
	if hexColor.MatchString(text) || slices.Contains(colorNames(), strings.ToLower(text)) {
		return true
	}
	if theme := themeColor.FindStringSubmatch(text); theme != nil {
		fallback := strings.TrimSpace(theme[1])
		return !strings.Contains(text, ",") || isColor(fallback)
	}
	call := colorCall.FindStringSubmatch(text)
	if call == nil {
		return false
	}
	// The innermost calls first, until none is left.
	inside := call[1]
	for {
		found := innerCall.FindStringSubmatchIndex(inside)
		if found == nil {
			return arguments.MatchString(inside)
		}
		name, between := inside[found[2]:found[3]], inside[found[4]:found[5]]
		if !slices.Contains(innerCalls(), strings.ToLower(name)) || !arguments.MatchString(between) {
			return false
		}
		inside = inside[:found[0]] + "0" + inside[found[1]:]
	}
}

// innerCalls are what a color may be made with.
func innerCalls() []string {
	return strings.Fields("rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark var calc min max clamp")
}

// colorNames are the names of CSS Color 4, in lowercase letters.
func colorNames() []string {
	return strings.Fields(`transparent currentcolor aliceblue antiquewhite aqua aquamarine azure beige bisque black
		blanchedalmond blue blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson
		cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange
		darkorchid darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet
		deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold
		goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen
		lemonchiffon lightblue lightcoral lightcyan lightgoldenrodyellow lightgray lightgreen lightgrey lightpink
		lightsalmon lightseagreen lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen linen
		magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue
		mediumspringgreen mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace
		olive olivedrab orange orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru
		pink plum powderblue purple rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell
		sienna silver skyblue slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise
		violet wheat white whitesmoke yellow yellowgreen`)
}
