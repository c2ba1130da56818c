#!/bin/sh
# Installs what the tests use from Debian or Ubuntu: needs root. Quick when all of it is there already.
#   chromium     the dashboard's tests in a browser
#   libisal2     the oracle of the erasure code
#   procps       pgrep and ps, with which tests look for processes that were left behind
#   faketime     a node whose clock is a day off
#   fish, zsh    check the completion that is written for them
#   util-linux   mount, for the full disk of a small tmpfs
#   tcpdump      what stands on the wire between the nodes of a route
#   iproute2     ip: namespaces with routers between them
#   nftables     nft: the NAT of these routers
#   tor          the network beside which bench/vpn measures (each run has processes of its own, not the system's service)
#   torsocks, proxychains4, ncat, bind9-dnsutils (dig), iperf3
#                programs that others wrote, over a route
#   wireguard-go, wireguard-tools
#                the tunnel beside which bench/vpn-tun measures
#   rclone, restic, s3cmd
#                clients of the S3 API that others wrote
set -eu
packages='chromium libisal2 procps util-linux curl faketime fish zsh tcpdump iproute2 nftables tor
  torsocks proxychains4 ncat bind9-dnsutils iperf3 wireguard-go wireguard-tools rclone restic s3cmd'
missing=''
for package in $packages; do
  if [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
    missing="$missing $package"
  fi
done
if [ -z "$missing" ]; then
  echo "test tools: all there" >&2
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "E_TEST_TOOLS:$missing not installed, and only root can. Fix: sudo $0" >&2
  exit 1
fi
echo "test tools: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2
# shellcheck disable=SC2086 # a list of words
apt-get install --quiet=2 --yes --no-install-recommends $missing >&2
