package grains

import (
	"strconv"

	"brine/internal/ordered"
)

// xenVersion sets the virtual_hv_ grains, where Xen shows them.
func (d *detector) xenVersion(out *ordered.Map) {
	const dir = "/sys/hypervisor/"
	if d.root.isFile(dir + "version/major") {
		major, minor, extra := d.root.line(dir+"version/major"), d.root.line(dir+"version/minor"), d.root.line(dir+"version/extra")
		out.Set("virtual_hv_version", major+"."+minor+extra)
		out.Set("virtual_hv_version_info", []any{major, minor, extra})
	}
	features := d.root.line(dir + "properties/features")
	bits, err := strconv.ParseUint(features, 16, 64)
	if err != nil {
		return
	}
	names := []any{}
	for i, name := range []string{
		"writable_page_tables", "writable_descriptor_tables", "auto_translated_physmap", "supervisor_mode_kernel",
		"pae_pgdir_above_4gb", "mmu_pt_update_preserve_ad", "", "gnttab_map_avail_bits", "hvm_callback_vector", "hvm_safe_pvclock",
		"hvm_pirqs", "dom0", "grant_map_identity", "memory_op_vnode_supported", "ARM_SMCCC_supported",
	} {
		if name != "" && bits&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	out.Set("virtual_hv_features", features)
	out.Set("virtual_hv_features_list", names)
}
