/** Networks and their address pools. */

export interface AddressPool {
  /** CIDR, e.g. 10.89.0.0/24. */
  subnet: string;
  gateway?: string;
  /** Part of `subnet` (CIDR) that addresses are taken from. */
  ipRange?: string;
  /** Addresses never handed out, by name. */
  auxAddresses?: Record<string, string>;
}

export interface NetworkSpec {
  name: string;
  /** "bridge" here; further drivers come with the cluster. "host" and "none" exist from the start and cannot be made. */
  driver: string;
  /** No way out to other networks. */
  internal?: boolean;
  enableIpv6?: boolean;
  enableIpv4?: boolean;
  attachable?: boolean;
  pools?: AddressPool[];
  options: Record<string, string>;
  ipamDriver?: string;
  ipamOptions?: Record<string, string>;
  labels: Record<string, string>;
}

export interface Network extends Omit<NetworkSpec, "pools"> {
  id: string;
  createdAt: string;
  pools: AddressPool[];
  /** Kernel name of the bridge; "" for host and none. */
  interfaceName: string;
  /** Made by Berth itself: bridge, host, none. */
  builtin: boolean;
}
