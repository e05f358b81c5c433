// The scrolling part of the panel.
import { SidePanel } from "@wix/design-system";
import type { ReactNode } from "react";

export const Scroll = ({ children }: { children: ReactNode }) => (
  <SidePanel.Content noPadding stretchVertically={false}>
    {children}
  </SidePanel.Content>
);
