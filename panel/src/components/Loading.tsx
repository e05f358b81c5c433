// The outline of a form that is still loading.
import { SidePanel, SkeletonGroup, SkeletonLine, SkeletonRectangle } from "@wix/design-system";
import { useMessages } from "./context";

export function Loading({ fields }: { fields: number }) {
  const { loading } = useMessages();
  return (
    <div role="status">
      <span className="unseen">{loading}</span>
      <div aria-hidden="true">
        <SkeletonGroup>
          {Array.from({ length: fields }, (_, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
            <SidePanel.Field key={index}>
              <SkeletonLine width="96px" />
              <div className="gap" />
              <SkeletonRectangle width="100%" height="30px" />
            </SidePanel.Field>
          ))}
        </SkeletonGroup>
      </div>
    </div>
  );
}
