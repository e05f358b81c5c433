// Replaces the Design System's HorizontalScroll, in which its Tabs scroll if they are asked to. The panel's few fit.

export const HorizontalScroll = () => null;
