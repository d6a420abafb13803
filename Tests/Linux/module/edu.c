// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/*
 * QEMU's educational PCI device: one MSI, raised by a store. Writing N to the attribute `raise` raises it
 * N times, each one after the one before was handled; `raised` and `handled` tell how many there were.
 * An interrupt that does not come is waited for a minute and then is lost for good.
 */
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

/* Registers in BAR 0 (QEMU, docs/specs/edu). */
#define EDU_INTERRUPT_STATUS 0x24
#define EDU_INTERRUPT_RAISE 0x60
#define EDU_INTERRUPT_ACKNOWLEDGE 0x64

struct edu {
    void __iomem *registers;
    struct completion arrived;
    unsigned long raised, handled;
    unsigned int irq;
};

/* The one there is. */
static struct edu edu;

static irqreturn_t edu_interrupt(int irq, void *data) {
    u32 status = readl(edu.registers + EDU_INTERRUPT_STATUS);

    if (!status)
        return IRQ_NONE;
    writel(status, edu.registers + EDU_INTERRUPT_ACKNOWLEDGE);
    edu.handled++;
    complete(&edu.arrived);
    return IRQ_HANDLED;
}

static ssize_t raise_store(struct device *device, struct device_attribute *attribute,
                           const char *text, size_t size) {
    unsigned long count;
    int status = kstrtoul(text, 0, &count);

    if (status)
        return status;
    while (count--) {
        reinit_completion(&edu.arrived);
        edu.raised++;
        writel(1, edu.registers + EDU_INTERRUPT_RAISE);
        if (!wait_for_completion_timeout(&edu.arrived, 60 * HZ))
            return -ETIMEDOUT;
        /*
         * An LPI has no active state: once its vector has moved, the next one may come on the new CPU while the
         * handler of this one still returns on the old. Kernels before 6.5 drop it then, on hardware as well.
         */
        synchronize_irq(edu.irq);
    }
    return size;
}
static DEVICE_ATTR_WO(raise);

static ssize_t raised_show(struct device *device, struct device_attribute *attribute, char *text) {
    return sprintf(text, "%lu\n", edu.raised);
}
static DEVICE_ATTR_RO(raised);

static ssize_t handled_show(struct device *device, struct device_attribute *attribute, char *text) {
    return sprintf(text, "%lu\n", edu.handled);
}
static DEVICE_ATTR_RO(handled);

static struct attribute *edu_attrs[] = {
    &dev_attr_raise.attr,
    &dev_attr_raised.attr,
    &dev_attr_handled.attr,
    NULL,
};
ATTRIBUTE_GROUPS(edu);

static int edu_probe(struct pci_dev *device, const struct pci_device_id *id) {
    int status = pcim_enable_device(device);

    if (status)
        return status;
    edu.registers = pcim_iomap(device, 0, 0);
    init_completion(&edu.arrived);
    if (!edu.registers)
        return -ENOMEM;
    pci_set_master(device);
    status = pci_alloc_irq_vectors(device, 1, 1, PCI_IRQ_MSI);
    if (status < 0)
        return status;
    edu.irq = pci_irq_vector(device, 0);
    status = request_irq(edu.irq, edu_interrupt, 0, "edu", &edu);
    if (status)
        pci_free_irq_vectors(device);
    return status;
}

static void edu_remove(struct pci_dev *device) {
    free_irq(edu.irq, &edu);
    pci_free_irq_vectors(device);
}

static const struct pci_device_id edu_ids[] = {{PCI_DEVICE(0x1234, 0x11e8)}, {}};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
    .name = "edu",
    .id_table = edu_ids,
    .probe = edu_probe,
    .remove = edu_remove,
    .dev_groups = edu_groups,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Raises the interrupt of QEMU's educational device");
MODULE_LICENSE("Apache-2.0");
