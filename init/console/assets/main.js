document.addEventListener("visibilitychange", () => {
  showBanner();
  if (!document.hidden) askOwner();
});
setInterval(showBanner, 1000);
chooseSource();
poll();
pollKube();
pollUpdate();
pollSlots();
pollCopies();
askOwner();
listen();
