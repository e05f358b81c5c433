// Stands in for the package "gradient-parser", with which the Design System's FillPreview recognises gradients. None is
// shown here.

export default { parse: () => null };
